import type {Interface} from '../host/machine/interfaces.ts';
import {FAMILIES, type Family, findGlobal, parseNetwork} from '../lib/network.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {sampleNetwork, sourceFilter} from './sample-addresses.ts';

type Inside = VantagePoint & {readonly kind: 'inside'; readonly name: string};

/** A host on each interface that leads inside of this machine, with an address of that network. */
export function planInside(
	interfaces: readonly Interface[],
	destinationsOf: (one: Interface, family: Family) => ReadonlyArray<string | undefined> = () => [
		undefined,
	],
): readonly Inside[] {
	const isSource = sourceFilter(interfaces);
	return interfaces.flatMap((one): readonly Inside[] => {
		const {inside: name, name: inInterface, addresses} = one;
		return FAMILIES.flatMap((family) => {
			const cidr = findGlobal(addresses, family);
			const samples = name !== undefined && cidr ? sampleNetwork(parseNetwork(cidr)) : undefined;
			const source = [...(samples?.inside ?? []), ...(samples?.last ?? [])].find(isSource);
			return name === undefined || source === undefined
				? []
				: destinationsOf(one, family).map((destination) => ({
						...{family, inInterface, source, kind: 'inside' as const, name},
						...(destination === undefined ? {} : {destination}),
					}));
		});
	});
}
