// Holds every manifest of a folder against Kubernetes' own types, as published for TypeScript: each document becomes an
// object of the type that its apiVersion and kind name, so that a field which does not exist, is missing or is of
// another type is an error. Exit code 1 when there is one.
//
//   npm install && node check.js ../../config/kubernetes
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import ts from 'typescript';
import {parseAllDocuments} from 'yaml';

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node check.js FOLDER');
  process.exit(2);
}

// "apps/v1" is apps/v1, "v1" core/v1, "rbac.authorization.k8s.io/v1" rbac/v1.
const moduleOf = (version) =>
  version.includes('/') ? version.replace(/^([a-z]+)[a-z0-9.-]*\//, '$1/') : `core/${version}`;

let troubles = 0;
const tell = (text) => {
  console.error(text);
  ++troubles;
};

const scratch = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'types-'));
const sources = new Map();
let documents = 0;
try {
  for (const file of readdirSync(folder).filter((f) => /\.ya?ml$/.test(f)).sort()) {
    parseAllDocuments(readFileSync(join(folder, file), 'utf8')).forEach((document, n) => {
      document.errors.forEach((e) => tell(`${file}: ${e.message}`));
      const content = document.toJS();
      if (content === null || document.errors.length > 0) return;
      if (typeof content.apiVersion !== 'string' || typeof content.kind !== 'string')
        return tell(`${file}, document ${n + 1}: no apiVersion or kind`);
      ++documents;
      const source = join(scratch, `${file}.${n}.ts`);
      sources.set(source, `${file}, ${content.kind} ${content.metadata?.name}`);
      writeFileSync(source, `import type {${content.kind}} from 'kubernetes-types/${moduleOf(content.apiVersion)}';\n` +
        `export const it: ${content.kind} = ${JSON.stringify(content, null, 1)};\n`);
    });
  }
  const program = ts.createProgram([...sources.keys()], {noEmit: true, strict: true, skipLibCheck: true,
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: []});
  for (const d of ts.getPreEmitDiagnostics(program))
    tell(`${sources.get(d.file?.fileName) ?? 'types'}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`);
} finally {
  rmSync(scratch, {recursive: true});
}
if (documents === 0) tell(`${folder}: no manifests`);
console.log(troubles === 0 ? `${documents} manifests are as Kubernetes wants them` : `${troubles} troubles`);
process.exit(troubles === 0 ? 0 : 1);
