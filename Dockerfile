# A server of recommendations; see docs/how-to/serve.md.
#
#   docker build -t prism-rec .
#   docker run -p 127.0.0.1:8000:8000 -e PRISM_REC_TOKEN=... -v "$PWD/runs/shop:/run-folder:ro" prism-rec
FROM python:3.12-slim
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir -c constraints.txt '.[serve,ann]' && useradd --create-home server
USER server
ENV OMP_NUM_THREADS=1
EXPOSE 8000
HEALTHCHECK --start-period=60s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=5)"]
ENTRYPOINT ["prism-rec", "serve"]
CMD ["/run-folder", "--host", "0.0.0.0", "--workers", "2"]
