"""The first schema: portals, keys, requests, scenarios, runs, lines, messages, and what is kept of Bitrix24."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "n"),
    )
    op.create_index(op.f("ix_attempt_started_at"), "attempt", ["started_at"], unique=False)
    op.create_table(
        "chat_pace",
        sa.Column("line_id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=255), nullable=False),
        sa.Column("tat", BIG, nullable=False),
        sa.PrimaryKeyConstraint("line_id", "chat_id"),
    )
    op.create_index(op.f("ix_chat_pace_tat"), "chat_pace", ["tat"], unique=False)
    op.create_table(
        "event_key",
        sa.Column("scenario_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("scenario_id", "key"),
    )
    op.create_index(op.f("ix_event_key_created_at"), "event_key", ["created_at"], unique=False)
    op.create_table(
        "message",
        sa.Column("seq", BIG, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("line_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("scenario_id", BIG, nullable=True),
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("messenger", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=255), nullable=False),
        sa.Column("chat_id_raw", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("told", sa.String(length=16), nullable=True),
        sa.Column("head", sa.Boolean(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("quiet", sa.String(length=80), nullable=True),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("sent_parts", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("run_id", "block", "iteration", name="message_of_step"),
    )
    op.create_index("message_by_line", "message", ["line_id", "seq"], unique=False)
    op.create_index("message_by_portal", "message", ["portal_id", "seq"], unique=False)
    op.create_index("message_by_state", "message", ["portal_id", "state", "seq"], unique=False)
    op.create_index("message_by_scenario", "message", ["scenario_id", "seq"], unique=False)
    op.create_index("message_by_chat", "message", ["portal_id", "chat_id", "seq"], unique=False)
    op.create_index(
        "message_by_raw_chat",
        "message",
        ["portal_id", "chat_id_raw"],
        unique=False,
        postgresql_where=sa.text("chat_id_raw <> chat_id"),
        sqlite_where=sa.text("chat_id_raw <> chat_id"),
    )
    op.create_index(
        "message_by_provider",
        "message",
        ["line_id", "provider_id"],
        unique=False,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
        sqlite_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_index(
        "message_chat",
        "message",
        ["line_id", "chat_id", "seq"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index(
        "message_due",
        "message",
        ["line_id", "due_at", "seq"],
        unique=False,
        postgresql_where=sa.text("head AND state = 'queued'"),
        sqlite_where=sa.text("head AND state = 'queued'"),
    )
    op.create_index(
        "message_expiry",
        "message",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index(
        "message_head",
        "message",
        ["line_id", "chat_id"],
        unique=False,
        postgresql_where=sa.text("head"),
        sqlite_where=sa.text("head"),
    )
    op.create_index(
        "message_owned",
        "message",
        ["owner"],
        unique=False,
        postgresql_where=sa.text("owner IS NOT NULL"),
        sqlite_where=sa.text("owner IS NOT NULL"),
    )
    op.create_index(
        "message_untold",
        "message",
        ["seq"],
        unique=False,
        postgresql_where=sa.text("told <> state AND state <> 'sending'"),
        sqlite_where=sa.text("told <> state AND state <> 'sending'"),
    )
    op.create_index(
        "message_suspect",
        "message",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("interruptions >= 2 AND head AND state = 'queued'"),
        sqlite_where=sa.text("interruptions >= 2 AND head AND state = 'queued'"),
    )
    op.create_index(
        "message_in_trouble",
        "message",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('failed', 'expired', 'undelivered', 'unconfirmed')"),
        sqlite_where=sa.text("state IN ('failed', 'expired', 'undelivered', 'unconfirmed')"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.Column("told_at", BIG, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("closed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notice_by_portal", "notice", ["portal_id", "id"], unique=False)
    op.create_index(
        "notice_open",
        "notice",
        ["portal_id", "cause", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "chore",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "portal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("installed_at", BIG, nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("quiet_from", sa.String(length=5), nullable=True),
        sa.Column("quiet_to", sa.String(length=5), nullable=True),
        sa.Column("notice_line", sa.String(length=32), nullable=True),
        sa.Column("notice_chat", sa.String(length=255), nullable=True),
        sa.Column("own_numbers", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id"),
    )
    op.create_table(
        "process",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("beat_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_process_beat_at"), "process", ["beat_at"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("scenario_id", BIG, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=255), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("content_type", sa.String(length=255), nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("request_by_portal", "request", ["portal_id", "id"], unique=False)
    op.create_index("request_by_scenario", "request", ["scenario_id", "outcome", "id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("scenario_id", BIG, nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("wake_at", BIG, nullable=True),
        sa.Column("awaits", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("dry", sa.Boolean(), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=True),
        sa.Column("tells", sa.Boolean(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "run_awaits",
        "run",
        ["awaits"],
        unique=False,
        postgresql_where=sa.text("awaits IS NOT NULL"),
        sqlite_where=sa.text("awaits IS NOT NULL"),
    )
    op.create_index("run_by_portal", "run", ["portal_id", "id"], unique=False)
    op.create_index(
        "run_by_reason",
        "run",
        ["portal_id", "scenario_id", "reason", "id"],
        unique=False,
        postgresql_where=sa.text("reason IS NOT NULL"),
        sqlite_where=sa.text("reason IS NOT NULL"),
    )
    op.create_index(
        "run_in_trouble",
        "run",
        ["portal_id", "id"],
        unique=False,
        postgresql_where=sa.text("reason IS NOT NULL"),
        sqlite_where=sa.text("reason IS NOT NULL"),
    )
    op.create_index("run_by_scenario", "run", ["scenario_id", "status", "id"], unique=False)
    op.create_index(
        "run_owned",
        "run",
        ["owner"],
        unique=False,
        postgresql_where=sa.text("owner IS NOT NULL"),
        sqlite_where=sa.text("owner IS NOT NULL"),
    )
    op.create_index(
        "run_of_request",
        "run",
        ["request_id"],
        unique=False,
        postgresql_where=sa.text("request_id IS NOT NULL"),
        sqlite_where=sa.text("request_id IS NOT NULL"),
    )
    op.create_index(
        "run_watched",
        "run",
        ["id"],
        unique=False,
        postgresql_where=sa.text("watched AND (result IS NOT NULL OR ended_at IS NOT NULL)"),
        sqlite_where=sa.text("watched AND (result IS NOT NULL OR ended_at IS NOT NULL)"),
    )
    op.create_index(
        "run_due",
        "run",
        ["wake_at"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL"),
        sqlite_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_table(
        "step",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("port", sa.String(length=64), nullable=True),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "n"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("used_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index(op.f("ix_api_key_portal_id"), "api_key", ["portal_id"], unique=False)
    op.create_table(
        "app_user",
        sa.Column("id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_index(op.f("ix_app_user_portal_id"), "app_user", ["portal_id"], unique=False)
    op.create_table(
        "constant",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id", "name"),
    )
    op.create_table(
        "global_variable",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id", "name"),
    )
    op.create_table(
        "line",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=400), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("config_sealed", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_reason", sa.String(length=500), nullable=False),
        sa.Column("state_code", sa.String(length=64), nullable=False),
        sa.Column("state_since", BIG, nullable=True),
        sa.Column("held_until", BIG, nullable=True),
        sa.Column("pace_at", BIG, nullable=True),
        sa.Column("slowed_until", BIG, nullable=True),
        sa.Column("trouble", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("opened_at", BIG, nullable=True),
        sa.Column("ramp_from", BIG, nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("deleted_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portal_id", "name_key", name="line_name"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index(op.f("ix_line_portal_id"), "line", ["portal_id"], unique=False)
    op.create_table(
        "scenario",
        sa.Column("id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=400), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=True),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("deleted_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portal_id", "name_key", name="scenario_name"),
    )
    op.create_index(op.f("ix_scenario_portal_id"), "scenario", ["portal_id"], unique=False)
    op.create_table(
        "stamp",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("config", BIG, nullable=False),
        sa.Column("globals", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id"),
    )
    op.create_table(
        "link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scenario_id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["scenario_id"],
            ["scenario.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index(op.f("ix_link_scenario_id"), "link", ["scenario_id"], unique=False)
    op.create_table(
        "scenario_version",
        sa.Column("id", BIG, nullable=False),
        sa.Column("scenario_id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=255), nullable=False),
        sa.Column("saved_by", sa.String(length=255), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["scenario_id"],
            ["scenario.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scenario_id", "n", name="version_number"),
    )
    op.create_table(
        "bitrix24_blocked",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "method"),
    )
    op.create_table(
        "bitrix24_call",
        sa.Column("id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=False),
        sa.Column("repeatable", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("portal_id", "key", name="bitrix24_call_key"),
    )
    op.create_index(
        "bitrix24_call_due",
        "bitrix24_call",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "bitrix24_call_given_up",
        "bitrix24_call",
        ["done_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('failed', 'expired')"),
        sqlite_where=sa.text("state IN ('failed', 'expired')"),
    )
    op.create_index(
        "bitrix24_call_of_portal",
        "bitrix24_call",
        ["portal_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "bitrix24_call_order",
        "bitrix24_call",
        ["portal_id", "order_key", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "bitrix24_call_owned",
        "bitrix24_call",
        ["owner"],
        unique=False,
        postgresql_where=sa.text("owner IS NOT NULL"),
        sqlite_where=sa.text("owner IS NOT NULL"),
    )
    op.create_index(
        "bitrix24_call_over",
        "bitrix24_call",
        ["portal_id", "done_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NOT NULL"),
        sqlite_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_table(
        "bitrix24_change",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("entity_id", BIG, nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.Column("first_at", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("last", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "entity", "entity_id"),
    )
    op.create_index(
        "bitrix24_change_due",
        "bitrix24_change",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("owner IS NULL"),
        sqlite_where=sa.text("owner IS NULL"),
    )
    op.create_index(
        "bitrix24_change_owned",
        "bitrix24_change",
        ["owner"],
        unique=False,
        postgresql_where=sa.text("owner IS NOT NULL"),
        sqlite_where=sa.text("owner IS NOT NULL"),
    )
    op.create_table(
        "bitrix24_erasure",
        sa.Column("id", BIG, nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("portal_hash", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "bitrix24_erasure_open",
        "bitrix24_erasure",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "bitrix24_run",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("entity_id", BIG, nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index(
        "bitrix24_run_of_card", "bitrix24_run", ["portal_id", "entity", "entity_id", "run_id"], unique=False
    )
    op.create_table(
        "bitrix24_card_message",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("entity_id", BIG, nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index(
        "bitrix24_card_message_of_card",
        "bitrix24_card_message",
        ["portal_id", "entity", "entity_id", "message_id"],
        unique=False,
    )
    op.create_index("bitrix24_card_message_age", "bitrix24_card_message", ["portal_id", "created_at"], unique=False)
    op.create_table(
        "bitrix24_robot_run",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("scenario_id", BIG, nullable=False),
        sa.Column("event_token_sealed", sa.Text(), nullable=False),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("deadline_at", BIG, nullable=True),
        sa.Column("answered_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("portal_id", "token_hash"),
    )
    op.create_index(
        "bitrix24_robot_run_deadline",
        "bitrix24_robot_run",
        ["deadline_at"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NULL"),
        sqlite_where=sa.text("answered_at IS NULL"),
    )
    op.create_index(op.f("ix_bitrix24_robot_run_run_id"), "bitrix24_robot_run", ["run_id"], unique=False)
    op.create_table(
        "bitrix24_sms",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("told", sa.String(length=16), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "provider_id"),
    )
    op.create_index("bitrix24_sms_age", "bitrix24_sms", ["portal_id", "created_at"], unique=False)
    op.create_index(op.f("ix_bitrix24_sms_message_id"), "bitrix24_sms", ["message_id"], unique=False)
    op.create_table(
        "bitrix24_snapshot",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("entity_id", BIG, nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("modified_at", sa.String(length=40), nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "entity", "entity_id"),
    )
    op.create_table(
        "bitrix24_watch",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("swept_to", BIG, nullable=True),
        sa.Column("next_at", BIG, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "entity"),
    )
    op.create_index(op.f("ix_bitrix24_watch_next_at"), "bitrix24_watch", ["next_at"], unique=False)
    op.create_table(
        "bitrix24_write",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("entity_id", BIG, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "entity", "entity_id", "id"),
    )
    op.create_index(op.f("ix_bitrix24_write_until"), "bitrix24_write", ["until"], unique=False)
    op.create_table(
        "bitrix24_app",
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("client_secret_sealed", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("portal_id", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_index(op.f("ix_bitrix24_app_portal_id"), "bitrix24_app", ["portal_id"], unique=False)
    op.create_table(
        "bitrix24_catalogue",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("statuses", sa.Text(), nullable=False),
        sa.Column("read_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id", "entity"),
    )
    op.create_table(
        "bitrix24_connection",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("client_endpoint", sa.String(length=500), nullable=False),
        sa.Column("oauth_url", sa.String(length=255), nullable=False),
        sa.Column("application_token_sealed", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("handler_hash", sa.String(length=64), nullable=False),
        sa.Column("handler_sealed", sa.Text(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("registered_at", BIG, nullable=True),
        sa.Column("check_at", BIG, nullable=True),
        sa.Column("uninstalled_at", BIG, nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Boolean(), nullable=False),
        sa.Column("synced", BIG, nullable=True),
        sa.Column("wanted", sa.String(length=64), nullable=True),
        sa.Column("sync_at", BIG, nullable=True),
        sa.Column("pace_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id"),
        sa.UniqueConstraint("handler_hash"),
    )
    op.create_index(op.f("ix_bitrix24_connection_check_at"), "bitrix24_connection", ["check_at"], unique=False)
    op.create_table(
        "bitrix24_mapping",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id", "entity"),
    )
    op.create_table(
        "bitrix24_registration",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("handler", sa.String(length=500), nullable=False),
        sa.Column("registered_at", BIG, nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id", "kind", "code"),
    )
    op.create_table(
        "bitrix24_token",
        sa.Column("portal_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("access_sealed", sa.Text(), nullable=False),
        sa.Column("refresh_sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("broken", sa.String(length=100), nullable=False),
        sa.Column("refreshing_by", sa.String(length=64), nullable=True),
        sa.Column("refreshing_until", BIG, nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"],
            ["portal.id"],
        ),
        sa.PrimaryKeyConstraint("portal_id", "user_id"),
    )
