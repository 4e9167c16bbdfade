"""Bitrix24: its OAuth server and a portal's REST methods, over `connectors.http`. No state, no storage."""
