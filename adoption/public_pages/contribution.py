"""What public pages add: a part of the page of what runs, and what follows when secrecy changes."""

from adoption.public_pages.actions import follow_secrecy
from adoption.public_pages.presentation import beside_deployments
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(beside_deployments=[beside_deployments], secrecy_changed=[follow_secrecy])
