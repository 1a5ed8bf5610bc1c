import type {Translation} from '../../existing/import/result.ts';
import {translateUfw, type UfwFramework} from '../../existing/import/ufw.ts';
import {readForeign} from '../files/read-config.ts';

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
export function translateUfwHere(): Translation | undefined {
	const folder = RECORDS.find((candidate) => read(`${candidate}/user.rules`) !== undefined);
	const userRules = read(`${folder}/user.rules`);
	if (userRules === undefined) {
		return undefined;
	}

	return translateUfw({
		userRules: {4: userRules, 6: read(`${folder}/user6.rules`) ?? ''},
		conf: read(`${FOLDER}/ufw.conf`) ?? '',
		defaults: read('/etc/default/ufw') ?? '',
		framework: FRAMEWORK.map(({name, family}) => {
			const shipped = SHIPPED.map((folder) => read(`${folder}/${name}`)).find(
				(text) => text !== undefined,
			);
			return {
				name,
				family,
				text: read(`${FOLDER}/${name}`) ?? '',
				...(shipped === undefined ? {} : {shipped}),
			};
		}),
		forwards: ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].some(
			(name) => read(`/proc/sys/net/${name}`)?.trim() === '1',
		),
	});
}

function read(file: string): string | undefined {
	return readForeign(file, 'ufw');
}
