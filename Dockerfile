FROM python:3.13-slim
WORKDIR /app
COPY requirements/serving.txt ./
RUN pip install --no-cache-dir --require-hashes -r serving.txt
COPY api ./api
# Fargate mounts an empty volume here: declared, it keeps the permissions that any user may write with.
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "api"]
