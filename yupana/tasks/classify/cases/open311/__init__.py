"""Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2) beside the service's own addresses:
labels are services, cases are requests."""
