import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Unavailable, type Contender } from '../support/contender.ts'
import { freePort, launch } from '../support/launch.ts'

/** nginx as a plain reverse proxy with one worker: the floor, if it is installed. */
export const nginx: Contender = {
  name: 'nginx',
  does: 'C, plain reverse proxy, one worker, buffering off',
  async start(ground) {
    const found = spawnSync('sh', ['-c', 'PATH="$PATH:/usr/sbin" command -v nginx'], { encoding: 'utf8' })
    const program = found.stdout.trim()
    if (program === '') throw new Unavailable('nginx is not installed')
    const port = await freePort()
    const config = `${ground.folder}/nginx.conf`
    mkdirSync(`${ground.folder}/logs`, { recursive: true })
    writeFileSync(
      config,
      `daemon off; worker_processes 1; pid ${ground.folder}/nginx.pid; error_log ${ground.folder}/error.log;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${ground.folder}/body; proxy_temp_path ${ground.folder}/proxy;
  fastcgi_temp_path ${ground.folder}/f; uwsgi_temp_path ${ground.folder}/u; scgi_temp_path ${ground.folder}/s;
  upstream mock { server ${new URL(ground.mock.url).host}; keepalive 256; }
  server {
    listen 127.0.0.1:${port} backlog=4096; client_max_body_size 32m; client_body_buffer_size 64k;
    location = /healthz { return 200; }
    location / { proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 600s; }
  }
}
`,
    )
    const service = await launch({
      name: 'nginx',
      command: program,
      args: ['-p', ground.folder, '-c', config],
      core: ground.core,
      ready: { url: `http://127.0.0.1:${port}/healthz` },
      timeoutMs: 10_000,
      logFile: `${ground.folder}/output.log`,
    })
    return { name: 'nginx', service, url: `${service.url}/v1/chat/completions`, headers: {} }
  },
}
