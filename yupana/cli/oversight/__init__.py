"""Commands of those who watch: gate, alerts, trace, audit, pages."""
