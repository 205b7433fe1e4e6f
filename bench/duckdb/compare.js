// Tenure and DuckDB over the same files, side by side. docs/performance.md shows what it printed.
//
//   npm install && node compare.js --tenure ../../build/tenure --dir /var/tmp/compare [--flows 20000000]
//       [--addresses 1000000] [--steps files,memory] [--plans hash,asof] [--keep]
//
// files:  evidence and flows are NDJSON, and so are the answers: `tenure attribute` against two plans of DuckDB, each
//         with one thread and with as many as it takes by itself. Whole processes, timed from outside; the files were
//         read once before, so that nobody waits for the disk.
// memory: everything is loaded before the clock runs: `tenure bench resolve` over the same files against the same two
//         plans, in one batch and in many. CPU time of the process.
import {DuckDBInstance} from '@duckdb/node-api';
import {spawnSync} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const {values: o} = parseArgs({
  options: {
    tenure: {type: 'string', default: 'build/tenure'},
    dir: {type: 'string', default: '/var/tmp/tenure-compare'},
    addresses: {type: 'string', default: '1000000'},
    flows: {type: 'string', default: '20000000'},
    steps: {type: 'string', default: 'files,memory'},
    plans: {type: 'string', default: 'hash,asof'},
    keep: {type: 'boolean', default: false},
    // What this script calls itself with, to be timed as a process: one answer file with DuckDB.
    plan: {type: 'string'},
    threads: {type: 'string'},
  },
});
const addresses = Number(o.addresses);
const flows = Number(o.flows);
const tenancies = 5;
const evidenceFile = `${o.dir}/evidence.ndjson`;
const flowsFile = `${o.dir}/flows.ndjson`;

// Each address is held five times in turn, each time for nine tenths of the turn: so nine in ten flows are covered.
// Times and errors as in `tenure bench resolve`.
const makeEvidence = `
  SELECT '10.' || (n >> 16) || '.' || ((n >> 8) & 255) || '.' || (n & 255) AS endpoint,
         't' || n || '-' || nth AS tenancy, 'workload-' || ((n * 31 + nth) % 997 + 1) AS workload,
         nth * 1000000000000 AS from_ns, nth * 1000000000000 + 900000000000 AS until_ns,
         1000000 AS from_error_ns, 1000000 AS until_error_ns
  FROM (SELECT i % ${addresses} AS n, i // ${addresses} AS nth FROM range(${addresses * tenancies}) t(i))`;
const makeFlows = `
  SELECT i AS flow_id, '10.' || (n >> 16) || '.' || ((n >> 8) & 255) || '.' || (n & 255) AS remote_address,
         443 AS remote_port, opened AS opened_ns, opened + 1000000 AS established_ns,
         opened + 20000000 AS last_received_ns, 1000000 AS transit_ns, 1000000 AS error_ns, 'tcp' AS transport
  FROM (SELECT i, hash(i) % ${addresses} AS n, (hash(i + 1000000000) % ${tenancies}000000000000)::BIGINT AS opened
        FROM range(${flows}) t(i))`;
const readEvidence = `read_json('${evidenceFile}', format = 'newline_delimited', columns = {endpoint: 'VARCHAR',
  tenancy: 'VARCHAR', workload: 'VARCHAR', from_ns: 'BIGINT', until_ns: 'BIGINT', from_error_ns: 'BIGINT',
  until_error_ns: 'BIGINT'})`;
const readFlows = `read_json('${flowsFile}', format = 'newline_delimited', columns = {flow_id: 'BIGINT',
  remote_address: 'VARCHAR', remote_port: 'INTEGER', opened_ns: 'BIGINT', established_ns: 'BIGINT',
  last_received_ns: 'BIGINT', transit_ns: 'BIGINT', error_ns: 'BIGINT', transport: 'VARCHAR'})`;

// The sure window of the rule, which is all that these flows need of it.
const first = 'f.established_ns + f.error_ns';
const last = 'f.last_received_ns - f.transit_ns - f.error_ns';
const plans = {
  hash: (f, e) => `SELECT f.flow_id, e.workload, e.tenancy FROM ${f} f LEFT JOIN ${e} e
    ON f.remote_address = e.endpoint AND e.from_ns + e.from_error_ns <= ${last}
    AND e.until_ns - e.until_error_ns > ${first}`,
  asof: (f, e) => `SELECT f.flow_id,
    CASE WHEN e.until_ns - e.until_error_ns > ${first} THEN e.workload END AS workload,
    CASE WHEN e.until_ns - e.until_error_ns > ${first} THEN e.tenancy END AS tenancy
    FROM ${f} f ASOF LEFT JOIN ${e} e ON f.remote_address = e.endpoint AND ${last} >= e.from_ns + e.from_error_ns`,
};

async function database(threads) {
  const instance = await DuckDBInstance.create(':memory:', threads ? {threads: String(threads)} : {});
  const connection = await instance.connect();
  await connection.run("SET memory_limit = '10GB'");
  await connection.run(`SET temp_directory = '${o.dir}/spill'`);
  await connection.run('SET preserve_insertion_order = false');
  return connection;
}

const print = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const microseconds = (seconds, count = flows) => (seconds * 1e6 / count).toFixed(3);

function timed(what, threads, ...command) {
  const run = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'time', ...command], {encoding: 'utf8'});
  if (run.status !== 0) throw new Error(`${command.join(' ')}: ${run.stderr}`);
  const lines = run.stderr.trim().split('\n');
  const [wall, user, system] = lines.at(-1).split(' ').map(Number);
  print(what, threads, wall.toFixed(1), (user + system).toFixed(1), microseconds(user + system));
  return lines.slice(0, -1).join(' ');
}

function readOnce(file) {
  const piece = Buffer.alloc(1 << 20);
  const from = openSync(file);
  while (readSync(from, piece) > 0);
  closeSync(from);
}

async function makeFiles() {
  mkdirSync(o.dir, {recursive: true});
  if (existsSync(flowsFile)) return;
  const db = await database();
  await db.run(`COPY (${makeEvidence}) TO '${evidenceFile}' (FORMAT json)`);
  await db.run(`COPY (${makeFlows}) TO '${flowsFile}' (FORMAT json)`);
  db.closeSync();
}

async function attributedIn(file) {
  const db = await database();
  const rows = await db.runAndReadAll(`SELECT count(*), count(workload), bit_xor(hash(flow_id, workload, tenancy))
    FROM read_json('${file}', format = 'newline_delimited',
                   columns = {flow_id: 'BIGINT', workload: 'VARCHAR', tenancy: 'VARCHAR'})`);
  db.closeSync();
  return rows.getRows()[0].map(String).join(' ');
}

async function compareFiles() {
  console.log(`\n${addresses * tenancies} lines of evidence, ${flows} flows, NDJSON to NDJSON:\n`);
  print('what', 'threads', 'wall s', 'CPU s', 'CPU-us a flow');
  print('---', '---', '---', '---', '---');
  const self = fileURLToPath(import.meta.url);
  readOnce(evidenceFile);
  readOnce(flowsFile);
  const answers = {};
  const answer = async (name, threads, ...command) => {
    const output = `${o.dir}/answers.ndjson`;
    timed(name, threads, ...command);
    answers[`${name}, ${threads}`] = await attributedIn(output);
    rmSync(output);
  };
  const duckdb = (plan, threads) => [process.execPath, self, '--dir', o.dir, '--plan', plan,
    ...(threads ? ['--threads', threads] : [])];
  for (const threads of ['1', undefined]) {
    await answer('tenure attribute', threads ?? 'default', o.tenure, 'attribute', '--evidence', evidenceFile, '--flows',
      flowsFile, '--output', `${o.dir}/answers.ndjson`, '--jobs', threads ?? '0');
    for (const plan of o.plans.split(','))
      await answer(`DuckDB, ${plan} join`, threads ?? 'default', ...duckdb(plan, threads));
  }
  if (new Set(Object.values(answers)).size !== 1) throw new Error(`answers differ: ${JSON.stringify(answers, null, 1)}`);
  console.log(`\nAll answers are the same: ${Object.values(answers)[0].split(' ')[1]} attributed.`);
}

async function answerWithDuckdb() {
  const db = await database(o.threads);
  await db.run(`COPY (${plans[o.plan](readFlows, readEvidence)}) TO '${o.dir}/answers.ndjson' (FORMAT json)`);
  db.closeSync();
}

async function compareInMemory() {
  console.log('\nIn memory, one thread, CPU-us a flow:\n');
  print('what', 'flows a batch', 'CPU-us a flow');
  print('---', '---', '---');
  const json = `${o.dir}/bench.json`;
  const run = spawnSync(o.tenure, ['bench', 'resolve', '--evidence', evidenceFile, '--flows-from', flowsFile, '--json',
    json], {encoding: 'utf8'});
  if (run.status !== 0) throw new Error(run.stderr);
  print('tenure bench resolve', 4096, JSON.parse(readFileSync(json)).cpu_us_per_flow.toFixed(3));
  const db = await database(1);
  await db.run(`CREATE TABLE evidence AS SELECT * FROM ${readEvidence}`);
  await db.run(`CREATE TABLE flows AS SELECT *, (row_number() OVER ())::BIGINT AS nth FROM ${readFlows}`);
  for (const size of [flows, 2_000_000, 200_000, 20_000]) {
    // Small batches take long, and are all alike.
    const batches = Math.min(Math.ceil(flows / size), 20);
    for (const plan of o.plans.split(',')) {
      if (plan === 'asof' && size < 200_000) continue;  // ten times the hash join's
      const before = process.cpuUsage();
      for (let i = 0; i < batches; ++i) {
        const some = `(SELECT * FROM flows WHERE nth > ${i * size} AND nth <= ${(i + 1) * size})`;
        await db.run(`CREATE OR REPLACE TEMP TABLE answers AS ${plans[plan](size >= flows ? 'flows' : some, 'evidence')}`);
      }
      const used = process.cpuUsage(before);
      print(`DuckDB, ${plan} join`, Math.min(size, flows),
        microseconds((used.user + used.system) / 1e6, Math.min(batches * size, flows)));
    }
  }
  db.closeSync();
}

if (o.plan) {
  await answerWithDuckdb();
} else {
  await makeFiles();
  const steps = o.steps.split(',');
  if (steps.includes('files')) await compareFiles();
  if (steps.includes('memory')) await compareInMemory();
  if (!o.keep) rmSync(o.dir, {recursive: true});
}
