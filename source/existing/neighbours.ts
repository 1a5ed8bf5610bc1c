import {printable} from '../lib/printable.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {findChain, OWN_PREFIX} from '../ruleset/model.ts';
import {KNOWN_PROGRAMS, programOfTable} from '../services/known-programs/find.ts';
import {FIREWALLS} from '../services/known-programs/firewalls.ts';
import {WIREGUARD} from '../services/known-programs/vpns.ts';
import {chainOf, programOfRule} from './rule-owner.ts';
import {decidingRule} from './shadowed-jump.ts';
import {describeSnapshot, foreignRules, programsIn, type RulesSnapshot} from './snapshot.ts';

/** Another program that filters packets here, or rules that belong to no known program. */
export type Neighbour = {
	/** As a person calls it: 'ufw', 'Docker', 'rules in INPUT'. Safe to print. */
	readonly name: string;
	/** A manager owns the firewall or loads rules at boot; a service makes rules for its own use. */
	readonly kind: 'manager' | 'service' | 'rules';
	/** What it does, in one sentence. */
	readonly does: string;
	/** What that means here, in one sentence. */
	readonly means: string;
	/** ufw or firewalld in use: nothing can be applied until it is switched off. */
	readonly owns: boolean;
	/** Without its rules in the filter table it does not work. */
	readonly needsFilter: boolean;
};

/** The traces of other programs on this machine. */
export type Traces = {
	readonly snapshots: readonly RulesSnapshot[];
	/** Tables of nftables without those of iptables, and what `nft list table` prints of each. */
	readonly nativeTables: ReadonlyArray<{readonly name: string; readonly text: string}>;
	/** The names of processes in this network namespace. */
	readonly processes: ReadonlySet<string>;
	/** Interfaces of WireGuard. */
	readonly tunnels: readonly string[];
	/** Enabled: it loads its rules at boot. */
	readonly ufw: boolean;
	readonly firewalld: boolean;
	/** nftables.service is enabled; whether its file begins with `flush ruleset`. */
	readonly nftables: {readonly flushes: boolean} | undefined;
	/** The file that netfilter-persistent restores at boot and that does not have our jump. */
	readonly frozen: string | undefined;
};

const MODEST = {owns: false, needsFilter: false} as const;

/** Names what was found: first what owns the firewall or loads rules at boot, then rules of no known program, then the rest. */
export function nameNeighbours(traces: Traces): readonly Neighbour[] {
	return [
		...nameManagers(traces),
		...traces.snapshots.flatMap(nameInput),
		...nameElsewhere(traces.snapshots),
		...traces.nativeTables.flatMap(nameTable),
		...nameServices(traces),
		...traces.tunnels.map(
			(tunnel): Neighbour => ({
				...{name: WIREGUARD.name, kind: 'service', ...MODEST},
				does: `${WIREGUARD.does} through ${printable(tunnel)}`,
				means: WIREGUARD.means,
			}),
		),
	];
}

function nameManagers({ufw, firewalld, nftables, frozen}: Traces): readonly Neighbour[] {
	const inUse: Readonly<Record<string, boolean>> = {ufw, firewalld};
	return [
		...FIREWALLS.filter(({name}) => inUse[name]).map(
			({name, does, means, needsFilter}): Neighbour => ({
				...{name, kind: 'manager', does, means, owns: true, needsFilter},
			}),
		),
		...(nftables
			? [
					{
						...({name: 'nftables.service', kind: 'manager', ...MODEST} as const),
						does: 'nftables.service loads /etc/nftables.conf at boot',
						means: nftables.flushes
							? 'It wipes the rules of everybody whenever it is started or stopped; at boot ours come after it'
							: 'Its rules decide as well: what they drop stays blocked, whatever is opened here',
					},
				]
			: []),
		...(frozen === undefined
			? []
			: [
					{
						...({name: 'netfilter-persistent', kind: 'manager', ...MODEST} as const),
						does: `netfilter-persistent restores ${frozen} at boot`,
						means: 'Its rules stand before ours, which are loaded after it',
					},
				]),
	];
}

/** Rules in INPUT that belong to no known program, and a policy DROP of the backend that is not in use. */
function nameInput(snapshot: RulesSnapshot): readonly Neighbour[] {
	const ownerless = foreignRules(snapshot, 'INPUT').filter(
		(rule) => programOfRule(rule) === undefined,
	);
	const policy = findChain(snapshot.rules, 'filter', 'INPUT')?.policy;
	const drops = !snapshot.inUse && policy === 'DROP';
	if (ownerless.length === 0 && !drops) {
		return [];
	}

	const deciding = snapshot.inUse ? decidingRule(snapshot.rules) : undefined;
	const count = ownerless.length;
	const place = describeSnapshot(snapshot);
	return [
		{
			...{name: 'rules in INPUT', kind: 'rules', ...MODEST},
			does:
				count === 0
					? `INPUT drops what no rule accepts (${place})`
					: `${count} ${count === 1 ? 'rule' : 'rules'} of INPUT ${count === 1 ? 'belongs' : 'belong'} to no program that is known (${place})`,
			means: snapshot.inUse
				? deciding === undefined
					? 'They are evaluated before ours: what they accept or block stays so'
					: `Rule ${deciding.index} (${printable(printRule(deciding.rule, deciding.family), 80)}) decides on everything: ours would not be reached`
				: 'The kernel asks both backends: what this one blocks stays blocked, whatever is opened here',
		},
	];
}

/** Rules in other chains and tables that belong to no known program. */
function nameElsewhere(snapshots: readonly RulesSnapshot[]): readonly Neighbour[] {
	const places = new Set<string>();
	let count = 0;
	for (const {text, inUse} of snapshots) {
		let table = '';
		for (const line of text.split('\n')) {
			if (!line.startsWith('-A ')) {
				table = /^\*(\w+)/.exec(line)?.[1] ?? table;
				continue;
			}

			const chain = chainOf(line);
			if (
				!(table === 'filter' && chain === 'INPUT') &&
				!(inUse && chain.startsWith(OWN_PREFIX)) &&
				programOfRule(line) === undefined &&
				!line.includes(OWN_PREFIX)
			) {
				count += 1;
				places.add(table === 'filter' ? chain : `${table} ${chain}`);
			}
		}
	}

	const names = [...places].map((place) => printable(place, 40));
	const shown = names.slice(0, 4).join(', ');
	return names.length === 0
		? []
		: [
				{
					...{name: 'rules in other chains', kind: 'rules', ...MODEST},
					does: `${count} ${count === 1 ? 'rule' : 'rules'} in other chains: ${shown}${names.length > 4 ? `, ${names.length - 4} more` : ''}`,
					means: 'They stay as they are, unless you flush the filter table and they are in it',
				},
			];
}

/** A table of nftables that filters incoming packets and belongs to no known program. */
function nameTable({name, text}: Traces['nativeTables'][number]): readonly Neighbour[] {
	return programOfTable(name) !== undefined || !/hook (?:input|prerouting|ingress) /.test(text)
		? []
		: [
				{
					...{name: `table ${printable(name, 60)}`, kind: 'rules', ...MODEST},
					does: `The table ${printable(name, 60)} of nftables looks at what comes in`,
					means:
						'It stays, and decides as well: what it drops stays blocked, whatever is opened here',
				},
			];
}

function nameServices({snapshots, nativeTables, processes}: Traces): readonly Neighbour[] {
	const found = new Set([
		...snapshots.flatMap((snapshot) => [...programsIn(snapshot)]),
		...nativeTables.flatMap(({name}) => programOfTable(name) ?? []),
		...KNOWN_PROGRAMS.filter((program) => program.processes?.some((name) => processes.has(name))),
	]);
	// Firewalls are named where they are in use, WireGuard by its interfaces.
	return KNOWN_PROGRAMS.filter(
		(program) => found.has(program) && program.kind !== 'firewall' && program !== WIREGUARD,
	).map(({name, does, means, needsFilter}) => ({
		...{name, kind: 'service', does, means, owns: false, needsFilter},
	}));
}
