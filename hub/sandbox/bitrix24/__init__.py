"""A strict simulated Bitrix24: portals with a CRM, robots and message providers, and their OAuth server.

In a test, in its own process:

    bitrix = Bitrix24(app_url="http://127.0.0.1:8000").start()   # hub.sandbox.bitrix24.server
    bitrix.portal.domain, bitrix.cloud.oauth_url, bitrix.spots   # spots: for HUB_EGRESS_ALLOW
    bitrix.add_portal(plan="free", features=set())               # another portal on a port of its own
    bitrix.stop()

As a program: `python -m hub.sandbox --port 8003` serves the messengers there, the portal on `localhost:8001` and the
OAuth server on `127.0.0.1:8002` (see --help). The product needs HUB_BITRIX24_CLIENT_ID and
HUB_BITRIX24_CLIENT_SECRET (server.DEMO_CLIENT_ID, server.DEMO_CLIENT_SECRET), HUB_BITRIX24_OAUTH_URLS (the OAuth
server), HUB_BITRIX24_JS_URL (`http://localhost:8001/api/v1/`) and HUB_EGRESS_ALLOW for both addresses.

Every portal answers control addresses; a POST takes JSON, where `portal` (domain or member_id) names another portal
than the one at this address, `client_id` another application than the first, and `user` a person (1, an administrator;
2 is none). A refusal has `error` as in REST.

    POST /_control/app         client_id, client_secret, app_url, install_url, scope, status, version, api_only
    POST /_control/portals     a new portal: title, plan, features, modern, users, …  -> domain, member_id, …
    POST /_control/portal      title, lang, offset_h, plan, features, modern, burst, rate, moved_to,
                               operating_limit_s, operating_cost_s (burst 0: no limit)
    POST /_control/move        a new domain for the portal; REST at the old one answers 302  -> domain
    POST /_control/user        id, name, last_name, admin, active, barred, sees_all (else only own cards)
    POST /_control/webhook     user, scope  -> url of an incoming webhook
    POST /_control/outgoing    event, url  -> token of an outgoing webhook
    POST /_control/install     user  -> installed, application_token, frame {sid, action, name, origin, fields}
    POST /_control/frame       user, placement, options, handler (for SETTING_CONNECTOR: connector, line)  -> a frame;
                               post its `fields` to its `action` as a form
    POST /_control/frame/<sid>/<command>    getInitData, setInstallFinish, refreshAuth, setAppOption, …
    POST /_control/uninstall   clean      POST /_control/update   version      POST /_control/pay   paid
    POST /_control/card        do (add, update, delete), entityTypeId, id, fields by legacy names, user (0: automation)
    POST /_control/event       event, data, user (0: automation)
    POST /_control/robots      entityTypeId, stage, steps [{kind, code, url, properties, wait, timeout_s}]
    POST /_control/trigger     entityTypeId, stage, code: where a trigger leads
    POST /_control/process     entityTypeId, id, steps  -> a process over one card, started at once
    POST /_control/sms         code, to, text, entityTypeId, id
    POST /_control/openline    connector, line, chat, text: an operator's answer
    POST /_control/mint        a pair of tokens of `user`; `code`: an authorization code instead
    POST /_control/expire      access tokens, or with `refresh` refresh tokens
    POST /_control/clock       advance_s
    POST /_control/fault       kind, service, chat, times, seconds, status, code
    POST /_control/wait        within_s: until the queue has nothing left to post  -> idle
    POST /_control/reset       portals as on their first day, without applications, records and faults
    GET  /_control/state       portals, applications and what they registered, processes, messages, notifications
    GET  /_control/calls?after=n    REST and OAuth calls      GET /_control/deliveries?after=n    posts to handlers
    GET  /_control/cards/<entityTypeId>        GET /_control/card/<entityTypeId>/<id>    a card with its timeline

Faults: service `bitrix24` (REST, `chat` a method), `bitrix24_oauth` (`chat` is `token` or `app.info`): kinds `error`
(with `code` and `status`, such as QUERY_LIMIT_EXCEEDED 503, expired_token 401, wrong_client 200), `status` (an HTML
page), `429`, `hang`, `slow`, `hangup_after`. Service `bitrix24_events` (`chat` an event, robot or provider): `lost`,
`twice`, `late`. Service `bitrix24_openlines` (`chat` a customer's): the message is not taken, for the reason `code`.
"""
