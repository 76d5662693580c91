# The service and what it needs to predict: no model, no training, no XGBoost, no pip.
#   docker build .                                             Python 3.13
#   docker build --build-arg BASE=python:3.11-slim .           any Python that the project supports
#   docker build --build-arg SCORING=true .                    with what reads Parquet, for `python -m api.scoring`
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
COPY requirements/serving.txt requirements/docs.txt ./
# Dependencies before the code: a change of code does not install them again. docs.txt is Swagger UI without its Flask.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes -r serving.txt \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps -r docs.txt
# What is never used here: botocore's descriptions of other services, the fake data and the colours of Litestar's
# development tools, Swagger UI's other builds, test suites. The container's tests run without them.
RUN cd /opt/venv/lib/python3*/site-packages \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts -exec rm -r {} + \
 && rm -r faker pygments flask_swagger_ui/dist/swagger-ui.js flask_swagger_ui/dist/swagger-ui-standalone-preset.js \
 && find . -type d -name tests -prune -exec rm -r {} + \
 && python -m compileall -q .
ARG SCORING=false
COPY requirements/scoring.txt ./
# Of Arrow what reads and writes tables: neither its servers, other formats and stores, nor its headers.
RUN if [ "${SCORING}" = true ]; then \
    pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes -r scoring.txt \
 && cd /opt/venv/lib/python3*/site-packages/pyarrow \
 && rm -r include includes src tests libarrow_flight* libarrow_python_flight* libarrow_python_parquet_encryption* \
    libarrow_python.so libarrow_python.so.*.*.* _flight* _substrait* _orc* _dataset_orc* _gcsfs* _azurefs* _hdfs* _s3fs* \
    _pyarrow_cpp_tests* _dataset_parquet_encryption* _parquet_encryption* \
 && cd .. && python -m compileall -q pyarrow; fi
COPY api /opt/app/api
RUN python -m compileall -q /opt/app

FROM ${BASE}
ARG REVISION=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="california-housing-api" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}"
# The base brings pip, which nothing here uses: official images keep it in /usr/local, Debian's Python in /usr.
RUN rm -rf /usr/local/bin/pip* /usr/bin/pip* /usr/local/lib/python3*/site-packages/pip* \
 /usr/lib/python3/dist-packages/pip* /usr/local/lib/python3*/ensurepip /usr/lib/python3*/ensurepip
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/app /opt/app
# OpenBLAS, which numpy brings, would start a thread per core at each start, and nothing here multiplies matrices.
ENV PATH="/opt/venv/bin:${PATH}" HOST=0.0.0.0 PORT=8000 OPENBLAS_NUM_THREADS=1
WORKDIR /opt/app
# Fargate mounts an empty volume here: declared, it keeps the permissions that any user may write with.
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=20s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "api.healthcheck"]
CMD ["python", "-m", "api"]
