// Makes the stand-alone binary for machines without Node: this Node and the program in one file.
// https://nodejs.org/docs/latest-v20.x/api/single-executable-applications.html
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {inject} from 'postject';
import {bundle} from './bundle.js';
import {licencesOf, SEPARATOR} from './licences.js';

const BINARY = 'build/fw-wizard';

if (Reflect.get(process.config.variables, 'node_shared')) {
	// Debian's Node is such a one: the program would need that library beside it.
	process.stderr.write(
		'This Node keeps most of itself in a library, and cannot be made one file.\n' +
			'Use one from nodejs.org: npx -y -p node@20 npm run build:binary\n',
	);
	process.exit(3);
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'fww-binary-'));
try {
	const script = path.join(folder, 'cli.cjs');
	const blob = path.join(folder, 'blob');
	const config = path.join(folder, 'config.json');
	const {text, packages} = await bundle();
	writeFileSync(`${BINARY}.licences.txt`, licencesFor(packages));
	writeFileSync(script, text);
	writeFileSync(
		config,
		JSON.stringify({main: script, output: blob, disableExperimentalSEAWarning: true}),
	);
	execFileSync(process.execPath, ['--experimental-sea-config', config], {stdio: 'pipe'});
	copyFileSync(process.execPath, BINARY);
	chmodSync(BINARY, 0o755);
	await inject(BINARY, 'NODE_SEA_BLOB', readFileSync(blob), {
		sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
	});
} finally {
	rmSync(folder, {recursive: true});
}

const sum = createHash('sha256').update(readFileSync(BINARY)).digest('hex');
writeFileSync(`${BINARY}.sha256`, `${sum}  ${path.basename(BINARY)}\n`);

/**
 * What must be handed on beside the binary: the licences of fw-wizard, of Node with all that Node
 * contains, and of the packages.
 * @param {readonly string[]} packages
 */
function licencesFor(packages) {
	const node = path.join(path.dirname(process.execPath), '../LICENSE');
	return [
		`fw-wizard\n\n${readFileSync('license', 'utf8').trim()}`,
		`Node.js ${process.version}\n\n${existsSync(node) ? readFileSync(node, 'utf8').trim() : `https://github.com/nodejs/node/blob/${process.version}/LICENSE`}`,
		licencesOf(packages),
	].join(SEPARATOR);
}
