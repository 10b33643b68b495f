"""What commands of every room share: options, results, a polite end, harmless output."""
