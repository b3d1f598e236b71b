"""What comes in: sources, documents kept raw, reports 通報, and the incidents 事案 folded from them."""
