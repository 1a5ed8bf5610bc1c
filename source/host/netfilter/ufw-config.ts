import type {Translation} from '../../existing/import/result.ts';
import {translateUfw, type UfwFramework} from '../../existing/import/ufw.ts';
import {readForeign} from '../files/read-config.ts';

/** Where ufw records its rules; before version 0.35 in the second folder. */
const RECORDS = ['/etc/ufw', '/lib/ufw'];
const FOLDER = '/etc/ufw';
/** Where ufw keeps the files that it ships; Debian's package has copies of them one folder up. */
const SHIPPED = ['/usr/share/ufw/iptables', '/usr/share/ufw'];

const FRAMEWORK: ReadonlyArray<Pick<UfwFramework, 'name' | 'family'>> = [
	{name: 'before.rules', family: 4},
	{name: 'before6.rules', family: 6},
	{name: 'after.rules', family: 4},
	{name: 'after6.rules', family: 6},
];

/**
 * Reads what ufw allows, as openings. It is read from ufw's files, and so also while ufw is switched
 * off. The ports of application profiles stand in ufw's record of each rule.
 * @returns undefined where ufw is not installed
 * @throws {HostError} where this process may not read its rules
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
