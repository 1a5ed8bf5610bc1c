// The software bill of materials of a stand-alone binary, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {manifest} from './bundle.js';
import {NODE_INTEGRITY, NODE_VERSION} from './node.js';
import {releaseTime} from './release.js';

/** Editions of data in Node, not libraries. */
const NO_LIBRARIES = ['node', 'modules', 'napi', 'unicode', 'cldr', 'tz'];

/**
 * The packages that esbuild has put into the bundle, and Node with the libraries that it has built in.
 * @param {object} build
 * @param {readonly import('./bundle.js').Package[]} build.packages
 * @param {import('./node.js').Architecture} build.architecture
 * @param {string} build.node a program of Node of that version that runs here: it names its libraries
 * @param {string} build.sha256 of the binary, hexadecimal
 * @returns the text of a JSON file
 */
export function printSbom({packages, architecture, node, sha256}) {
	const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
	const components = [
		nodeComponent(architecture, node),
		...packages.map(({folder, name, version, license}) => ({
			type: 'library',
			...npmNames(name, version),
			hashes: [hashOf(locked[folder].integrity)],
			licenses: [{expression: license}],
		})),
	];
	const program = {
		type: 'application',
		...npmNames(manifest.name, manifest.version),
		description: manifest.description,
		hashes: [{alg: 'SHA-256', content: sha256}],
		licenses: [{expression: manifest.license}],
	};
	const bom = {
		$schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
		bomFormat: 'CycloneDX',
		specVersion: '1.6',
		version: 1,
		metadata: {
			timestamp: new Date(releaseTime() * 1000).toISOString(),
			component: program,
		},
		components,
		dependencies: [
			{ref: program['bom-ref'], dependsOn: components.map((component) => component['bom-ref'])},
		],
	};
	return `${JSON.stringify(bom, undefined, '\t')}\n`;
}

/**
 * @param {import('./node.js').Architecture} architecture
 * @param {string} node
 */
function nodeComponent(architecture, node) {
	/** @type {Record<string, string>} */
	const versions = JSON.parse(
		execFileSync(node, ['--print', 'JSON.stringify(process.versions)'], {encoding: 'utf8'}),
	);
	return {
		type: 'platform',
		...npmNames(`node-linux-${architecture}`, NODE_VERSION),
		cpe: `cpe:2.3:a:nodejs:node.js:${NODE_VERSION}:*:*:*:*:*:*:*`,
		hashes: [hashOf(NODE_INTEGRITY[architecture])],
		licenses: [
			{
				license: {
					name: 'Node.js and its libraries',
					url: `https://github.com/nodejs/node/blob/v${NODE_VERSION}/LICENSE`,
				},
			},
		],
		components: Object.entries(versions)
			.filter(([name]) => !NO_LIBRARIES.includes(name))
			.map(([name, version]) => {
				const purl = `pkg:generic/${name}@${version}`;
				return {type: 'library', 'bom-ref': purl, name, version, purl};
			}),
	};
}

/**
 * @param {string} name
 * @param {string} version
 */
function npmNames(name, version) {
	const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
	return {'bom-ref': purl, name, version, purl};
}

/** @param {string} integrity as npm has it: `sha512-` and base64 */
function hashOf(integrity) {
	const [, base64 = ''] = /^sha512-(.+)$/.exec(integrity) ?? [];
	return {alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex')};
}
