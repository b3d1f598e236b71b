"""防犯メール: from a mailbox to the notices of a police, each a report; persons stay private."""
