import {groupBy} from '../lib/group-by.ts';
import {type HelperName, helperOf} from '../policy/helpers.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {
	type FamilyRules,
	findChain,
	GROUP_PREFIX,
	isNamedGroup,
	ourRule,
	ownChains,
	type Rule,
} from '../ruleset/model.ts';
import {groupName, objectName, printRuleLines, setName, WORDS} from './nft-rule.ts';

/** The hook of nftables for each of our chains, and its priority (nft(8), "Chains"): mangle's is -150. */
const HOOKS: Readonly<Record<string, {readonly name: string; readonly hook: string}>> = {
	'FW-WIZARD-INPUT': {name: 'input', hook: 'input priority 0'},
	'FW-WIZARD-OUTPUT': {name: 'output', hook: 'output priority 0'},
	'FW-WIZARD-PREROUTING': {name: 'prerouting', hook: 'prerouting priority 0'},
	'FW-WIZARD-FORWARD': {name: 'forward', hook: 'forward priority -150'},
};

/**
 * A rule set as native rules of nftables with the same meaning, in tables of its own. `nft -f` loads
 * the text in one transaction, which replaces what an earlier one has loaded. For nft 0.9 or newer, and 0.9.3 on
 * Linux 5.4 where an opening ends (`meta time`).
 */
export function printNft({policy, ruleSet}: CompiledPolicy): string {
	const tables = ruleSet.families.map((rules) => printTable(rules, policy.helpers));
	return `#!/usr/sbin/nft -f
# Made by fw-wizard: a firewall for nftables alone. To load it: nft -f THIS
# Tables of other programs stay, and filter as well: what one of them drops stays dropped.

${tables.join('\n')}`;
}

function printTable(rules: FamilyRules, helpers: readonly HelperName[]): string {
	const {family} = rules;
	const {table} = WORDS[family];
	const chains = ownChains(rules).flatMap((own) => {
		const chain = findChain(rules, own.table, own.name);
		return chain ? [{name: own.name, rules: chain.rules}] : [];
	});
	const all = chains.flatMap((chain) => chain.rules);
	const used = new Set(all.flatMap(({target}) => (target.kind === 'CT' ? [target.helper] : [])));
	const objects = helpers
		.flatMap((name) => helperOf(name).ports)
		.filter(({helper}) => used.has(helper))
		.map(
			({helper, protocol}) =>
				`	ct helper ${objectName(helper, protocol)} {\n		type "${helper}" protocol ${protocol}\n		l3proto ${WORDS[family].address}\n	}\n`,
		);
	// One set for each name: openings that share a counter in iptables share the set here.
	const names = new Set(all.flatMap(({match}) => match.hashlimit?.name ?? []));
	// After a minute without a packet a source may send a whole burst again, so its entry may go.
	const sets = [...names].map(
		(name) =>
			`	set ${setName(name)} {\n		type ${WORDS[family].type}\n		size 65535\n		flags dynamic,timeout\n		timeout 1m\n	}\n`,
	);
	const groups = groupBy(all.filter(isNamedJump), ({target}) => chainOf(target)).map(
		(jumps) =>
			`	set ${groupName(chainOf(jumps[0]?.target))} {\n		type ${WORDS[family].type}\n		flags interval\n		elements = { ${jumps.map(({match}) => match.source).join(', ')} }\n	}\n`,
	);
	const bodies = chains.map(({name, rules: list}) => {
		const lines = joinJumps(list).flatMap((rule) => printRuleLines(rule, family));
		const hook = HOOKS[name];
		return `	chain ${hook?.name ?? groupName(name)} {\n${hook === undefined ? '' : `		type filter hook ${hook.hook}; policy accept;\n`}${lines.map((line) => `		${line}\n`).join('')}	}\n`;
	});
	return `table ${table}
delete table ${table}
table ${table} {
${[...objects, ...sets, ...groups, ...bodies].join('\n')}}
`;
}

/**
 * The same rules. The jumps to the chain of a group, one for each source in iptables, are one with a set of sources,
 * which has the name of the group if that has one.
 */
function joinJumps(rules: readonly Rule[]): readonly Rule[] {
	const keyed = rules.map((rule, index) => ({rule, key: `${index}`}));
	return groupBy(keyed, ({rule: {target}, key}) =>
		target.kind === 'chain' ? target.name : key,
	).flatMap(([first, ...others]) => {
		if (first === undefined || (others.length === 0 && !isNamedJump(first.rule))) {
			return first?.rule ?? [];
		}

		const {rule} = first;
		const sources = [first, ...others].flatMap((one) => one.rule.match.source ?? []);
		const chain = chainOf(rule.target);
		const [whom, source] = isNamedJump(rule)
			? [`@${chain.slice(GROUP_PREFIX.length)}`, `@${groupName(chain)}`]
			: [`these ${sources.length} sources`, `{ ${sources.join(', ')} }`];
		return ourRule('opening', `You opened ports from ${whom}`, {source}, rule.target);
	});
}

function chainOf(target: Rule['target'] | undefined): string {
	return target?.kind === 'chain' ? target.name : '';
}

/** Whether a rule leads packets from some network to the chain of a group with a name. */
function isNamedJump({match, target}: Rule): boolean {
	return match.source !== undefined && isNamedGroup(chainOf(target));
}
