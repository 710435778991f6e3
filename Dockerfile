# msanet_bench for machines with an NVIDIA GPU. Written and linted with hadolint; the maintainers have not built it.
#
#     docker build --tag msanet-bench .
#     docker run --rm --gpus all --shm-size 2g --user "$(id -u):$(id -g)" --volume "$PWD:/work" msanet-bench doctor
#
# and `sweep ablation` in the place of `doctor`. Results, reports and data are those of the folder mounted at /work,
# and belong to the user named by --user. torch's wheel brings the CUDA libraries; the host has the driver and the
# NVIDIA Container Toolkit.

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.11-slim-bookworm
# torch.compile has what it writes compiled.
# Debian keeps one version of a package in a release, so that a pinned one cannot be had for long.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*

COPY constraints.txt /install/
COPY --from=wheel /wheel /install/
RUN set -- /install/*.whl \
    && pip install --no-cache-dir --constraint /install/constraints.txt "$1[cuda,dashboard,onnx,timm]"

# Any --user has a name and a place for caches, though no entry in /etc/passwd.
ENV HOME=/tmp \
    USER=bench \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN useradd --uid 1000 --no-create-home bench && install --directory --owner bench /work
USER 1000
WORKDIR /work
ENTRYPOINT ["msanet-bench"]
CMD ["--help"]
