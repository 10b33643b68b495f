"""Cases: texts that were received, with their receipts, and what becomes of them."""
