"""SQL that guards tables whose rows are only ever added, and the views for outside programs."""

from collections.abc import Iterator, Sequence


def guard(table: str, key: Sequence[str], postgresql: bool) -> Iterator[str]:
    """Triggers under which a row of `table` can be added, and neither changed nor deleted."""
    if postgresql:
        yield (
            f"CREATE FUNCTION {table}_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION 'permission denied: rows of {table} are only ever added'"
            " USING ERRCODE = 'insufficient_privilege'; END $$"
        )
        yield (
            f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_only_added_to()"
        )
        return
    refuse = f"SELECT RAISE(ABORT, 'permission denied: rows of {table} are only ever added')"
    for verb in ("UPDATE", "DELETE"):
        yield f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} BEGIN {refuse}; END"
    # INSERT OR REPLACE deletes the old row, and fires no trigger for that.
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    yield (
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN {refuse}; END"
    )


def views(postgresql: bool) -> Iterator[str]:
    """What outside programs may rely on; read-only, alike on both databases."""
    yield """
        CREATE VIEW v_permit AS
        SELECT v.key AS permit, v.version, v.document, v.changed_by, v.at, v.epoch
        FROM register_version AS v
        WHERE v.kind = 'permit' AND v.version = (
            SELECT max(n.version) FROM register_version AS n WHERE n.kind = v.kind AND n.key = v.key
        )
    """
    yield """
        CREATE VIEW v_audit AS
        SELECT node, seq, at, said_at, kind, subject, body, prev, hash FROM journal_entry
    """
    if not postgresql:
        return
    # PostgreSQL would pass what is written to a simple view on to its table.
    yield (
        "CREATE FUNCTION a_view_is_only_read() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'permission denied: cannot modify % because it is a view', TG_TABLE_NAME"
        " USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    for view in ("v_permit", "v_audit"):
        yield _only_read(view)


def cdr(postgresql: bool, forwarded: str = "forwarded_to, forwarded_by,") -> Iterator[str]:
    """The view of calls, once there are the others; before version 0012 nothing was `forwarded`."""
    yield f"""
        CREATE VIEW v_cdr AS
        SELECT call_id AS call, caller, callee, media, decision, owner AS node, offered, offered_at,
               answered_at, answered_by, ended_at, reason, missed, trunk, {forwarded}
               CASE WHEN answered_at IS NULL OR ended_at IS NULL THEN 0
                    WHEN ended_at < answered_at THEN 0
                    ELSE ended_at - answered_at END AS talked_us
        FROM call
    """
    if postgresql:
        yield _only_read("v_cdr")


def _only_read(view: str) -> str:
    return (
        f"CREATE TRIGGER {view}_guard INSTEAD OF INSERT OR UPDATE OR DELETE ON {view}"
        " FOR EACH ROW EXECUTE FUNCTION a_view_is_only_read()"
    )
