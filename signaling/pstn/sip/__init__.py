"""A SIP user agent without I/O: messages, digest, transactions, dialogs (RFC 3261 and what mends it).

Nothing here sends. A machine is told what happened and when, and answers with values; one user agent, an
edge, sends them. It alone sends an INVITE or a 2xx, in the step that redeems the grant naming it
(`licensing.grant`).
"""
