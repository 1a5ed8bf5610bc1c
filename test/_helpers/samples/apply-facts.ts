import type {ApplyFacts} from '../../../source/app/apply-facts.ts';
import {NOTHING_PUBLISHED} from '../../../source/app/govern-published.ts';

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
	networks: [],
	published: NOTHING_PUBLISHED,
	interfaceNames: undefined,
	connections: [],
};
