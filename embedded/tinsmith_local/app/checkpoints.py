"""What is done to one stored checkpoint: published, given a time to live, deleted, handed out."""

from email.utils import formatdate

from tinsmith_local.service import Service
from tinsmith_local.store import CheckpointRow

from . import lookups
from .answer import Answer, nothing
from .archives import sign
from .call import Call
from .refusal import Refusal
from .runs import moment


def _path(call: Call) -> str:
    """Return the tinker path that a route names; a bare name is refused."""
    kind = call.parameters.get("checkpoint_kind")
    name = str(call.parameters["checkpoint_name"])
    if kind is None:
        raise Refusal(400, f"{name!r} is no checkpoint id; write weights/{name} or sampler_weights/{name}")
    return f"tinker://{call.parameters['training_run_id']}/{kind}/{name}"


def _find(service: Service, call: Call) -> CheckpointRow:
    """Find a checkpoint that is made; one in the making is refused with 425."""
    row = lookups.checkpoint(service, _path(call))
    if row.state == "making":
        raise Refusal(425, f"{row.tinker_path} is still being made", headers={"Retry-After": "1"})
    return row


async def delete_checkpoint(service: Service, call: Call) -> Answer:
    """Delete a checkpoint."""
    service.delete_checkpoint(_find(service, call).tinker_path)
    return nothing()


async def publish_checkpoint(service: Service, call: Call) -> Answer:
    """Make a checkpoint public."""
    row = _find(service, call)
    if row.public:
        raise Refusal(409, f"{row.tinker_path} is public already")
    service.checkpoints.set_public(row.tinker_path, public=True)
    return nothing()


async def unpublish_checkpoint(service: Service, call: Call) -> Answer:
    """Make a checkpoint private."""
    row = _find(service, call)
    if not row.public:
        raise Refusal(409, f"{row.tinker_path} is private already")
    service.checkpoints.set_public(row.tinker_path, public=False)
    return nothing()


async def set_checkpoint_ttl(service: Service, call: Call) -> Answer:
    """Give a checkpoint a time to live, or take it away."""
    row = _find(service, call)
    ttl = call.whole("ttl_seconds")
    service.checkpoints.set_expiry(row.tinker_path, None if ttl is None else service.clock() + ttl)
    return nothing()


async def get_checkpoint_archive_url(service: Service, call: Call) -> Answer:
    """Redirect to a signed URL of the checkpoint as one archive."""
    row = _find(service, call)
    expires = service.clock() + service.options.archive_url_ttl_s
    location = (
        f"{call.base_url}api/v1/x-tinsmith/archives/{sign(service.secret, row.tinker_path, '', expires)}"
    )
    return Answer(None, 302, {"Location": location, "Expires": formatdate(expires, usegmt=True)})


async def get_external_weights_urls(service: Service, call: Call) -> Answer:
    """List signed URLs of the files of a checkpoint."""
    row = _find(service, call)
    expires = service.clock() + service.options.archive_url_ttl_s
    directory = service.files.root / row.directory
    names = sorted(path.name for path in directory.iterdir() if path.is_file())
    root = f"{call.base_url}api/v1/x-tinsmith/archives/"
    urls = {name: root + sign(service.secret, row.tinker_path, name, expires) for name in names}
    return Answer({"urls": urls, "expires": moment(expires)})
