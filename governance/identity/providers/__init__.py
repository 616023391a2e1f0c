"""The relying party: one question to a provider and the judgement of its answer (`round_trip.begin`, `finish`).

`tokens`, `discovery`, `jwk_rules`, `identity_claims` are pure: handed plain values, they know neither rows nor a clock.
"""
