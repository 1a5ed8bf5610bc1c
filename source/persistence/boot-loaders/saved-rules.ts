import {existsSync} from 'node:fs';
import {readText} from '../../host/files/read-text.ts';
import {RULE_LOADERS, type RuleLoader} from '../../services/known-programs/firewalls.ts';
import type {Starter} from './model.ts';

/** Sets that rules of netfilter-persistent ask for (ipset-persistent of Debian). */
const IPSETS = '/etc/iptables/ipsets';
/** Of netfilter-persistent: whether what is loaded stays, as its file does not name it. */
const DEFAULTS = '/etc/default/netfilter-persistent';

/** The service whose files a unit or an init script restores. */
export function ruleLoaderOf(service: string): RuleLoader | undefined {
	const name = service.replace(/\.service$/, '');
	return RULE_LOADERS.find(({enabledAs}) =>
		'unit' in enabledAs
			? enabledAs.unit.replace(/\.service$/, '') === name
			: enabledAs.script === name,
	);
}

/** What such a service does, as commands: its own script does the same in more words. */
export function restoresOf(service: string, {name, files}: RuleLoader): Starter {
	const isPersistent = name === 'netfilter-persistent';
	const keeps =
		isPersistent && /^\s*IPTABLES_RESTORE_NOFLUSH=["']?yes/m.test(readText(DEFAULTS) ?? '');
	return {
		by: service,
		service,
		commands: [
			...(isPersistent && existsSync(IPSETS)
				? [{file: IPSETS, line: 1, text: `ipset restore <${IPSETS}`}]
				: []),
			...files
				.filter((file) => existsSync(file))
				.map((file) => ({
					...{file, line: 1},
					text: `${/6/.test(file) ? 'ip6tables' : 'iptables'}-restore ${keeps ? '--noflush ' : ''}<${file}`,
				})),
		],
	};
}
