import {FAMILIES, type Family} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {Verdict} from '../../policy/policy.ts';
import {PROTOCOLS} from '../../policy/services.ts';
import {readLine, regionsOf} from './iptables-line.ts';
import {type Translation, type Untranslatable, unique} from './result.ts';
import {type ForeignRule, translateRules} from './to-openings.ts';
import {describeDefaults, describeDifferences, linesOf, readSettings} from './ufw-defaults.ts';
import {readUserRules, type UfwEntry, type UfwRule} from './ufw-user-rules.ts';

/** A file of ufw with lines for iptables-restore, and the same file as ufw ships it. */
export type UfwFramework = {
	/** before.rules, after6.rules … */
	readonly name: string;
	readonly family: Family;
	readonly text: string;
	/** Absent where this machine does not have it. */
	readonly shipped?: string;
};

/** The texts of the files of ufw, empty where a file does not exist. */
export type UfwFiles = {
	/** user.rules and user6.rules. */
	readonly userRules: Readonly<Record<Family, string>>;
	/** ufw.conf and /etc/default/ufw. */
	readonly conf: string;
	readonly defaults: string;
	readonly framework: readonly UfwFramework[];
	/** Whether this machine forwards packets. */
	readonly forwards: boolean;
};

/**
 * Translates the rules of ufw into openings, as far as openings can express them.
 * @returns openings that allow no more than ufw does
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
		.map((file) => ({...file, ...readFramework(file)}));
	const [before, after] = ['before', 'after'].map((part) =>
		framework.filter(({name}) => name.startsWith(part)).flatMap(({rules}) => rules),
	);
	const user = entries.map(translateEntry);
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
	const {openings, untranslatable} = translateRules([
		...(before ?? []),
		...user.flatMap(({rule}) => rule ?? []),
		...(after ?? []),
		...open,
	]);
	const rules = entries.flatMap((entry) => (entry.kind === 'rule' ? [entry.rule] : []));
	return {
		openings,
		verdict,
		log: (conf.get('LOGLEVEL') ?? 'low').toLowerCase() !== 'off',
		untranslatable: unique([
			...untranslatable,
			...user.flatMap(({loss}) => loss ?? []),
			...framework.flatMap(({losses}) => losses),
			...describeDefaults(defaults, files.forwards, incoming),
		]),
		remarks: describeDifferences(rules, framework, families, verdict),
	};
}

type TranslatedEntry = {readonly rule?: ForeignRule; readonly loss?: Untranslatable};

/** What an entry of user.rules does to new connections, and what of it openings cannot express in any case. */
function translateEntry(entry: UfwEntry & {readonly family: Family}): TranslatedEntry {
	switch (entry.kind) {
		case 'rule':
			return translateRule(entry.rule);
		case 'line':
			return translateLine(entry.line, entry.family);
		case 'unreadable': {
			const text = printable(entry.line, 160);
			return {rule: unknownRule(text, entry.family), loss: {text, why: NOT_UNDERSTOOD}};
		}
	}
}

const NOT_UNDERSTOOD = 'it is not understood; what comes behind it stays shut';

/** A rule that is not understood may block anything. */
function unknownRule(text: string, family: Family): ForeignRule {
	return {text, action: 'deny', ...regionsOf({family, inexact: 'it is not understood'})};
}

function translateLine(line: string, family: Family): TranslatedEntry {
	const text = printable(line, 160);
	const read = readLine(line, family);
	if (read === undefined) {
		return {};
	}

	if (typeof read === 'string') {
		return {loss: {text, why: read}};
	}

	return read.action === 'deny' && read.inexact !== undefined
		? {rule: read, loss: {text, why: `${read.inexact}; what it may shut out stays shut`}}
		: {rule: read};
}

function translateRule(ufw: UfwRule): TranslatedEntry {
	const {text, protocol, action} = ufw;
	if (ufw.route) {
		return {loss: {text, why: 'what is forwarded is left alone'}};
	}

	if (ufw.direction === 'out' || ufw.out !== undefined) {
		return {loss: {text, why: 'what leaves this machine is not filtered'}};
	}

	if (protocol !== 'any' && protocol !== 'tcp' && protocol !== 'udp') {
		// All other protocols are blocked here, as ufw may do as well.
		return action === 'deny' || action === 'reject'
			? {}
			: {loss: {text, why: `openings are of TCP and UDP, not of ${printable(protocol, 20)}`}};
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
		? {rule, loss: {text, why: 'openings are of TCP and UDP: other protocols stay shut'}}
		: {rule};
}

/** The lines that somebody added by hand to a file of ufw. */
function readFramework(file: UfwFramework): {
	readonly rules: readonly ForeignRule[];
	readonly losses: readonly Untranslatable[];
} {
	if (file.shipped === undefined) {
		const why = 'it cannot be compared with what ufw ships: your own rules in it are not known';
		return {rules: [], losses: file.text === '' ? [] : [{text: file.name, why}]};
	}

	const shipped = new Set(linesOf(file.shipped));
	const added = linesOf(file.text).filter((line) => !shipped.has(line));
	const translated = added.map((line): TranslatedEntry & {readonly first: boolean} => {
		const concernsInput = /^-[AI] (ufw6?-(before|after)-input|INPUT) /.test(line);
		const text = `${file.name}: ${printable(line, 160)}`;
		const {rule, loss} = concernsInput
			? translateLine(line, file.family)
			: {loss: {text, why: 'only what comes in to this machine is filtered'}};
		return {
			first: line.startsWith('-I'),
			...(rule === undefined ? {} : {rule: {...rule, text}}),
			...(loss === undefined ? {} : {loss: {...loss, text}}),
		};
	});
	const rules = [
		...translated.filter(({first}) => first),
		...translated.filter(({first}) => !first),
	];
	return {
		rules: rules.flatMap(({rule}) => rule ?? []),
		losses: translated.flatMap(({loss}) => loss ?? []),
	};
}
