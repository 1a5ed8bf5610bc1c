import {printNetwork} from '../../lib/network.ts';
import {printOpening} from '../../policy/opening.ts';
import type {Policy} from '../../policy/policy.ts';
import {printSource} from '../../policy/sources.ts';

/** What each of two policies says that the other one does not, a line each: `- 22/tcp`, `+ 22/tcp limit`. */
export function policyChanges(before: Policy, after: Policy): readonly string[] {
	const [old, now] = [new Set(linesOf(before)), new Set(linesOf(after))];
	return [
		...[...old].filter((line) => !now.has(line)).map((line) => `- ${line}`),
		...[...now].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
	];
}

function linesOf(policy: Policy): readonly string[] {
	return [
		`role ${policy.role}`,
		`verdict ${policy.verdict}`,
		`log ${policy.log ? 'on' : 'off'}`,
		`published ports: ${policy.published === 'policy' ? 'the policy decides' : 'left to their programs'}`,
		...policy.helpers.map((name) => `helper ${name}`),
		...policy.openings.map((opening) => `open ${printOpening(opening)}`),
		...(policy.sources ?? []).flatMap((group) =>
			group.networks.map((network) => `${printSource(group)} has ${printNetwork(network)}`),
		),
		...(policy.blocked ?? []).map((network) => `block ${printNetwork(network)}`),
	];
}
