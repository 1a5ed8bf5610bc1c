import type {ApplyFacts} from '../../../source/app/apply-facts.ts';

/** What a plan depends on, on a machine where nothing prevents a change and nobody else is connected. */
export const FACTS: ApplyFacts = {
	families: [4, 6],
	root: true,
	iptables: {version: '1.8.9', backend: 'nft'},
	session: {kind: 'unknown'},
	missingRight: undefined,
	unsupported: undefined,
	savedBoot: undefined,
	owners: [],
	snapshots: undefined,
	saved: [],
	protocolUses: [],
	guests: [],
	interfaceNames: undefined,
	connections: [],
};
