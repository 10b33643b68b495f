"""Files as they came: landed under their hash, unpacked within bounds."""
