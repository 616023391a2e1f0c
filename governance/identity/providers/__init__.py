"""The relying party: questions to a provider and answers (`round_trip.begin`, `finish`).

`tokens`, `discovery`, `jwk_rules`, `identity_claims` are pure: handed plain values, they know neither rows nor a
clock.
"""
