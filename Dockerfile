# The kit as an image: it serves the corpus, and checks what is mounted into it.
#   docker build -t httplib-kit .
#   docker run --rm -p 8080:8080 httplib-kit
#   docker run --rm --network host -v "$PWD:/work" httplib-kit check 'exec:./driver.py'
FROM python:3.13.5-slim-bookworm AS build
WORKDIR /source
COPY requirements/kit.txt requirements/kit.txt
RUN python -m venv /opt/httplib-kit \
 && /opt/httplib-kit/bin/pip install --quiet --no-cache-dir --require-hashes --requirement requirements/kit.txt
COPY . .
RUN /opt/httplib-kit/bin/pip install --quiet --no-cache-dir --no-deps .

FROM python:3.13.5-slim-bookworm
COPY --from=build /opt/httplib-kit /opt/httplib-kit
ENV PATH=/opt/httplib-kit/bin:$PATH PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 kit
USER 10001
WORKDIR /work
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8083/_/openapi.json', timeout=5).close()"]
ENTRYPOINT ["httplib-kit"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
