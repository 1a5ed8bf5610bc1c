import type {Translation} from '../../existing/import/result.ts';
import {translateUfw} from '../../existing/import/ufw.ts';
import type {UfwFramework} from '../../existing/import/ufw-framework.ts';
import {printPorts} from '../../lib/port-ranges.ts';
import {programOfInterface} from '../../services/known-programs/find.ts';
import {readForeign} from '../files/read-config.ts';
import {readText} from '../files/read-text.ts';
import {findFact} from '../machine/find-fact.ts';
import {findPublished} from './published-ports.ts';

/** Before 0.35 its records were in the other. */
const RECORDS = ['/etc/ufw', '/lib/ufw'];
const FOLDER = '/etc/ufw';
/** Where ufw keeps what it ships; Debian's package has copies of it one folder up. */
const SHIPPED = ['/usr/share/ufw/iptables', '/usr/share/ufw'];

const FRAMEWORK: ReadonlyArray<Pick<UfwFramework, 'name' | 'family'>> = [
	{name: 'before.rules', family: 4},
	{name: 'before6.rules', family: 6},
	{name: 'after.rules', family: 4},
	{name: 'after6.rules', family: 6},
];

/**
 * What ufw is set to let in, as openings: read from its files, so also while it is off. The ports of
 * application profiles are in its own record of each rule.
 * @returns undefined where ufw is not installed
 * @throws {HostError} where its rules are not ours to read
 */
export async function translateUfwHere(): Promise<Translation | undefined> {
	const folder = RECORDS.find((candidate) => read(`${candidate}/user.rules`) !== undefined);
	const userRules = read(`${folder}/user.rules`);
	if (userRules === undefined) {
		return undefined;
	}

	const framework = FRAMEWORK.map(({name, family}): UfwFramework => {
		const shipped = SHIPPED.map((folder) => read(`${folder}/${name}`)).find(
			(text) => text !== undefined,
		);
		return {
			name,
			family,
			text: read(`${FOLDER}/${name}`) ?? '',
			...(shipped === undefined ? {} : {shipped}),
		};
	});
	return translateUfw({
		userRules: {4: userRules, 6: read(`${folder}/user6.rules`) ?? ''},
		conf: read(`${FOLDER}/ufw.conf`) ?? '',
		defaults: read('/etc/default/ufw') ?? '',
		framework,
		forwards: ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].some(
			(name) => read(`/proc/sys/net/${name}`)?.trim() === '1',
		),
		keepsForward: interfacesHere().some((name) => programOfInterface(name)?.needsFilter),
		published: framework.some(({text}) => text.includes('DOCKER-USER'))
			? await publishedHere()
			: [],
	});
}

/** The names of all interfaces, also of those that are down. */
function interfacesHere(): readonly string[] {
	return [...(readText('/proc/net/dev') ?? '').matchAll(/^ *([^\s:]+):/gm)].map(
		([, name = '']) => name,
	);
}

/** The ports that are forwarded to containers; none where they cannot be read. */
async function publishedHere(): Promise<readonly string[]> {
	const {value = []} = await findFact(findPublished);
	return [
		...new Set(
			value.map(
				({port, last = port, protocol}) => `${printPorts({first: port, last}, '-')}/${protocol}`,
			),
		),
	];
}

function read(file: string): string | undefined {
	return readForeign(file, 'ufw');
}
