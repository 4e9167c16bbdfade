"""Hubline: Bitrix24, messengers and any other service, joined by scenarios.

The layers, outermost first; an arrow may only point down (import-linter holds this, see pyproject.toml):

    cli, serve, worker, app   start processes, may see everything
    web                       the only code that imports Flask (the sandbox aside)
    endpoints                 tokenised addresses and what arrives there
    scenarios                 documents, versions, runs
    delivery                  lines, outbox, attempts
    accounts, portals         who may do what, and for whom
    language                  templates; pure
    settings db writer …      the ground: configuration, storage, clock, ids, secrets
    values                    JSON values; pure
    connectors                calls to other people's services; know nothing of ours
"""
