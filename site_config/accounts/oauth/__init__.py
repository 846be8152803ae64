"""Sign-in of third parties' apps: allauth's OAuth 2 and OpenID Connect provider, as this shop runs it.

adapter   what allauth asks us: words of scopes, claims, the signing key
keys      the key that id tokens are signed with
requests  what the provider could not read is refused before it tries
views     consent, sign-out, tokens: allauth's, less what it would allow too kindly
grants    codes and refresh tokens are good once; a copy that comes back ends what they brought
limits    how often tokens may be asked for
tokens    when tokens end, and that ended ones are thrown away
"""
