"""Additions of public pages: a part of the deployments page, withdrawal on secrecy."""

from adoption.public_pages.actions import follow_secrecy
from adoption.public_pages.presentation import beside_deployments
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(beside_deployments=[beside_deployments], secrecy_changed=[follow_secrecy])
