"""The tables of cases: what citizens sent as it is handled, history, attachments and notices."""

from __future__ import annotations

import sqlalchemy as sa

from yupana.database.engine import TABLES, Moment

CASES = sa.Table(
    "cases",
    TABLES,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("use_case", sa.String(100), nullable=False),
    sa.Column("receipt", sa.String(20), nullable=False, unique=True),
    sa.Column("secret", sa.LargeBinary(32), nullable=False, doc="SHA-256 of the receipt's secret"),
    sa.Column("request", sa.String(64), doc="HMAC of who sent it and its Idempotency-Key"),
    sa.Column("body", sa.String(64), nullable=False, doc="HMAC of the request's body"),
    sa.Column("received", Moment, nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("place", sa.JSON, nullable=False, doc="address, area, lat, long: those that are"),
    sa.Column("language", sa.String(8), nullable=False, doc="ISO 639-1, or empty"),
    sa.Column("title", sa.Text, nullable=False, doc="masked"),
    sa.Column("text", sa.Text, nullable=False, doc="masked"),
    sa.Column("original", sa.LargeBinary, doc="title and text as they came, sealed"),
    sa.Column("contact", sa.LargeBinary, doc="where notices go, sealed"),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("confidence", sa.Double, nullable=False, doc="0-1; of a person 1"),
    sa.Column("abstention", sa.String(32), nullable=False, doc="why a person decides, or empty"),
    sa.Column("model", sa.String(128), nullable=False),
    sa.Column("prediction_id", sa.String(32), nullable=False),
    sa.Column("priority", sa.String(32), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False, doc="of the priority: 0 is handled first"),
    sa.Column("department", sa.String(100), nullable=False),
    sa.Column("deadline", Moment, nullable=False),
    sa.Column("taken_by", sa.String(23), nullable=False, doc="pseudonym, or empty"),
    sa.Column("transfers", sa.Integer, nullable=False),
    sa.Column("objections", sa.Integer, nullable=False),
    sa.Column("duplicate_of", sa.String(32), nullable=False, doc="the first case, or empty"),
    sa.Column("fingerprint", sa.String(64), nullable=False, doc="of the text without its spelling"),
    sa.Column("shingles", sa.LargeBinary, doc="MinHash of the text, for near-duplicates"),
    sa.Column("answer", sa.JSON, doc="id, version, text, source, day, by; null where none"),
    sa.Column("version", sa.Integer, nullable=False, doc="how many events it has"),
    sa.Column("claimed_by", sa.String(32), nullable=False, doc="the router at work, or empty"),
    sa.Column("claimed_until", Moment),
    sa.Index("cases_by_request", "use_case", "request", unique=True),
    sa.Index("cases_queue", "use_case", "state", "rank", "deadline", "id"),
    sa.Index("cases_by_fingerprint", "use_case", "fingerprint"),
    sa.Index("cases_by_first", "duplicate_of"),
)

CASE_EVENTS = sa.Table(
    "case_events",
    TABLES,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, doc="from 1, as the case's version after it"),
    sa.Column("time", Moment, nullable=False),
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("by", sa.String(23), nullable=False, doc="pseudonym of a clerk; empty: no clerk"),
    sa.Column("reason", sa.Text, nullable=False, doc="masked"),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Index("case_events_by_case", "case_id", "number", unique=True),
)
"""Appended to, never changed: of two who change a case at once, one finds its number taken."""

CASE_ATTACHMENTS = sa.Table(
    "case_attachments",
    TABLES,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.String(32), nullable=False, index=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False, doc="bytes"),
    sa.Column("name", sa.String(200), nullable=False, doc="masked"),
    sa.Column("media_type", sa.String(100), nullable=False, doc="as the sender says"),
)

CASE_NOTICES = sa.Table(
    "case_notices",
    TABLES,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.String(32), nullable=False),
    sa.Column("channel", sa.String(10), nullable=False),
    sa.Column("body", sa.JSON, nullable=False, doc="receipt and state; nothing that was written"),
    sa.Column("created", Moment, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False, doc="of the last try"),
    sa.Column("due", Moment, nullable=False, doc="of the next try"),
    sa.Index("case_notices_due", "state", "due"),
)
"""What is to be told to the contact of a case; departments' systems have webhooks."""
