"""The frozen types, errors and small tools that every other package builds on."""
