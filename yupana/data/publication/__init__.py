"""Published versions, their releases and corrections, and the rows set aside."""
