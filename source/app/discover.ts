import {planChoices} from '../existing/cleanup-options.ts';
import {describeNeighbourChoices, type NeighbourChoice} from '../existing/describe-choice.ts';
import type {SavedRules} from '../existing/saved-rules.ts';
import type {Facts} from '../host/machine/facts.ts';
import {findFact} from '../host/machine/find-fact.ts';
import {type HostReport, reportHost} from '../host/machine/host-report.ts';
import {type Peer, readPeers} from '../host/sockets/proc-net.ts';
import {type Fact, mapFact} from '../lib/fact.ts';
import type {GuestService} from '../services/guest-service.ts';
import {findSavedRules} from './apply-facts.ts';
import {guestsAmong} from './find-guests.ts';
import type {PublishedHere} from './govern-published.ts';
import {importExisting} from './import-existing.ts';
import {publishedAmong} from './published-here.ts';

/** The host report with the choices that it leaves to the user. */
export type WizardReport = HostReport & {
	/** What can be done about other firewalls; empty where there is nothing to decide. */
	readonly choices: Fact<readonly NeighbourChoice[]>;
	/** What serves containers, virtual machines and clients behind this machine, and is let in by nobody else. */
	readonly guests: Fact<readonly GuestService[]>;
	/** The ports that containers publish, and what else their rules depend on. */
	readonly publishing: Fact<PublishedHere>;
	/** The ports of other machines to which programs here are connected. */
	readonly peers: Fact<readonly Peer[]>;
	/** The files that load rules of iptables at boot. */
	readonly saved: Fact<readonly SavedRules[]>;
};

/** The facts that answers in the wizard depend on. */
export type AnswerFacts = Pick<
	WizardReport,
	| 'listeners'
	| 'protocols'
	| 'published'
	| 'publishing'
	| 'recommendation'
	| 'choices'
	| 'guests'
	| 'peers'
>;

/** Finds out what the answers in the wizard depend on. Never throws. */
export async function discover(facts: Facts): Promise<WizardReport> {
	const report = await reportHost(facts, facts);
	const guests = await findFact(async () =>
		guestsAmong(report.listeners.value ?? [], report.networks.value ?? [], facts),
	);
	const owners = report.existing.value?.owners ?? [];
	const {value: imported} = await findFact(async () => importExisting(owners));
	const saved = await findFact(async () =>
		facts.iptables === undefined ||
		// Where there is nothing to decide, nothing is removed.
		planChoices(report.existing.value?.snapshots ?? [], owners).length === 0
			? []
			: findSavedRules(facts.iptables.backend),
	);
	return {
		...report,
		guests,
		peers: await findFact(async () => readPeers()),
		publishing: mapFact(report.published, (all) =>
			publishedAmong(all, report.networks.value ?? []),
		),
		saved,
		choices: mapFact(report.existing, ({snapshots}) =>
			describeNeighbourChoices(planChoices(snapshots, owners, saved.value), imported),
		),
	};
}
