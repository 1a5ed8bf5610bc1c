import {existsSync, realpathSync} from 'node:fs';
import type {SavedRules} from '../../existing/saved-rules.ts';
import {readText} from '../../host/files/read-text.ts';
import {NFTABLES_FILES, RULE_LOADERS} from '../../services/known-programs/firewalls.ts';
import type {BootLoader, Starter} from './model.ts';

/** Sets that rules of netfilter-persistent ask for (ipset-persistent of Debian). */
const IPSETS = '/etc/iptables/ipsets';
/** Of netfilter-persistent: whether what is loaded stays, as its file does not name it. */
const DEFAULTS = '/etc/default/netfilter-persistent';

/** What the script of nftables loads where no unit says it: on Debian, and on Alpine and Gentoo. */
const NFTABLES_SCRIPT_FILES = [
	...NFTABLES_FILES,
	...['/etc/nftables.nft', '/var/lib/nftables/rules-save'],
];

/**
 * What a service does that restores saved rules, as commands: its own script does the same in more words.
 * @param service a unit of systemd, or the name of an init script
 * @returns undefined for any other service
 */
export function restoresOf(service: string): Starter | undefined {
	const name = service.replace(/\.service$/, '');
	const loaders = RULE_LOADERS.filter((loader) => loader.name === name);
	const nftFiles = service === 'nftables' ? NFTABLES_SCRIPT_FILES.filter(existsSync) : [];
	const isPersistent = name === 'netfilter-persistent';
	const keeps =
		isPersistent && /^\s*IPTABLES_RESTORE_NOFLUSH=["']?yes/m.test(readText(DEFAULTS) ?? '');
	const restored = loaders
		.flatMap(({files}) => files)
		.filter((file) => existsSync(file))
		.map((file) => ({
			file,
			command: `${/6/.test(file) ? 'ip6tables' : 'iptables'}-restore ${keeps ? '--noflush ' : ''}<${file}`,
		}));
	const sets =
		isPersistent && existsSync(IPSETS) ? [{file: IPSETS, command: `ipset restore <${IPSETS}`}] : [];
	const native = nftFiles.map((file) => ({file, command: `nft -f ${file}`}));
	return loaders.length === 0 && native.length === 0
		? undefined
		: {
				by: service,
				service,
				commands: [...sets, ...restored, ...native].map(({file, command}) => ({
					...{file, line: 1, text: command},
				})),
			};
}

/** The files in the format of iptables-save that are restored at boot, each once, by its own path. */
export function savedRulesOf(loaders: readonly BootLoader[]): readonly SavedRules[] {
	const found = new Map<string, SavedRules>();
	for (const {restores} of loaders.flatMap(({commands}) => commands)) {
		const text = restores && readText(restores.file);
		// Bytes that are no UTF-8 would be written as other ones.
		if (text && !text.includes('\uFFFD')) {
			const file = realpathSync(restores.file);
			found.set(file, {file, family: restores.family, text});
		}
	}

	return [...found.values()];
}
