import {FAMILIES, type Family} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {Verdict} from '../../policy/policy.ts';
import {PROTOCOLS} from '../../policy/services.ts';
import {regionsOf} from './iptables-line.ts';
import {describeProtocol, type Translation, unique} from './result.ts';
import {type ForeignRule, translateRules} from './to-openings.ts';
import {describeDefaults, describeDifferences, readSettings} from './ufw-defaults.ts';
import {
	type Forwarding,
	readFramework,
	type TranslatedLine,
	translateLine,
	type UfwFramework,
	unknownRule,
} from './ufw-framework.ts';
import {readUserRules, type UfwEntry, type UfwRule} from './ufw-user-rules.ts';

/** The texts of the files of ufw, empty where a file does not exist. */
export type UfwFiles = Forwarding & {
	/** user.rules and user6.rules. */
	readonly userRules: Readonly<Record<Family, string>>;
	/** ufw.conf and /etc/default/ufw. */
	readonly conf: string;
	readonly defaults: string;
	readonly framework: readonly UfwFramework[];
};

/**
 * Translates the rules of ufw into openings, as far as openings can express them.
 * @returns openings that allow no more than ufw does, but for what the translation names as opened
 */
export function translateUfw(files: UfwFiles): Translation {
	const [conf, defaults] = [readSettings(files.conf), readSettings(files.defaults)];
	const families = FAMILIES.filter(
		(family) => family === 4 || (defaults.get('IPV6') ?? 'yes').toLowerCase() === 'yes',
	);
	const incoming = defaults.get('DEFAULT_INPUT_POLICY')?.toUpperCase() ?? 'DROP';
	const verdict: Verdict = incoming === 'DROP' ? 'drop' : 'reject';
	const entries = families.flatMap((family) =>
		readUserRules(files.userRules[family], family).map((entry) => ({...entry, family})),
	);
	const framework = files.framework
		.filter(({family}) => families.includes(family))
		.map((file) => ({...file, ...readFramework(file, files)}));
	const [before, after] = ['before', 'after'].map((part) =>
		framework.filter(({name}) => name.startsWith(part)).flatMap(({rules}) => rules),
	);
	const user = entries.map((entry) => translateEntry(entry, files));
	const open: readonly ForeignRule[] =
		incoming === 'ACCEPT'
			? [
					{
						text: 'default: allow (incoming)',
						action: 'allow',
						regions: families.flatMap((family) => regionsOf({family}).regions),
					},
				]
			: [];
	const {openings, blocked, untranslatable} = translateRules([
		...(before ?? []),
		...user.flatMap(({rule}) => rule ?? []),
		...(after ?? []),
		...open,
	]);
	const rules = entries.flatMap((entry) => (entry.kind === 'rule' ? [entry.rule] : []));
	return {
		openings,
		blocked,
		verdict,
		log: (conf.get('LOGLEVEL') ?? 'low').toLowerCase() !== 'off',
		untranslatable: unique([
			...untranslatable,
			...user.flatMap(({loss}) => loss ?? []),
			...framework.flatMap(({losses}) => losses),
			...describeDefaults(defaults, files, incoming),
		]),
		remarks: describeDifferences(rules, framework, families),
	};
}

/** What an entry of user.rules does to new connections, and what of it openings cannot express in any case. */
function translateEntry(
	entry: UfwEntry & {readonly family: Family},
	forwarding: Forwarding,
): TranslatedLine {
	switch (entry.kind) {
		case 'rule':
			return translateRule(entry.rule, forwarding);
		case 'line':
			return translateLine(entry.line, entry.family);
		case 'unreadable': {
			const text = printable(entry.line, 160);
			return {
				rule: unknownRule(text, entry.family),
				loss: {text, why: NOT_UNDERSTOOD, effect: 'closes'},
			};
		}
	}
}

const NOT_UNDERSTOOD = 'it is not understood; what follows stays blocked';

function translateRule(ufw: UfwRule, {forwards, keepsForward = false}: Forwarding): TranslatedLine {
	const {text, protocol, action} = ufw;
	const denies = action === 'deny' || action === 'reject';
	if (ufw.route) {
		// Without ufw FORWARD accepts everything, unless it stays as Docker or the like needs it.
		const effect = denies ? ('opens' as const) : ('closes' as const);
		const changes = forwards && denies !== keepsForward;
		const why = 'what is forwarded is left alone';
		return {loss: {text, why, elsewhere: true, ...(changes ? {effect} : {})}};
	}

	if (ufw.direction === 'out' || ufw.out !== undefined) {
		const why = 'what leaves this machine is not filtered';
		return {loss: {text, why, elsewhere: true, ...(denies ? {effect: 'opens'} : {})}};
	}

	if (protocol !== 'any' && protocol !== 'tcp' && protocol !== 'udp') {
		// All other protocols are blocked here, as ufw may do as well.
		return denies
			? {}
			: {
					loss: {
						text,
						effect: 'closes',
						...describeProtocol(protocol, {source: ufw.source, on: ufw.in}),
					},
				};
	}

	if (ufw.in === 'lo') {
		return {};
	}

	const rule: ForeignRule = {
		text,
		action: action === 'reject' ? 'deny' : action,
		...regionsOf({
			family: ufw.family,
			protocols: PROTOCOLS.filter((name) => protocol === 'any' || protocol === name),
			...(ufw.ports === undefined ? {} : {ports: ufw.ports}),
			...(ufw.source === undefined ? {} : {source: ufw.source}),
			...(ufw.destination === undefined ? {} : {destination: ufw.destination}),
			...(ufw.in === undefined ? {} : {on: ufw.in}),
			...(ufw.sourcePorts === undefined ? {} : {inexact: 'openings know no source port'}),
		}),
	};
	const isWhole = protocol !== 'any' || ufw.ports !== undefined || rule.inexact !== undefined;
	return action === 'allow' && !isWhole
		? {rule, loss: {text, why: 'openings are of TCP and UDP: other protocols stay blocked'}}
		: {rule};
}
