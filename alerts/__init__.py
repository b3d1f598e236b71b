"""What goes out: decisions, areas, texts, CAP, approval, recipients, channels, delivery."""
