"""Webhooks: signed notices of new forecasts and alerts, kept until they are delivered."""
