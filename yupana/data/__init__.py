"""The lake: contracts, landing zone, Spark staging and publication, and reads without a JVM."""
