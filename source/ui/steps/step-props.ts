import type {Dispatch} from 'react';
import type {AppliedStatus} from '../../app/applied-status.ts';
import type {Beside} from '../../app/beside-policy.ts';
import type {AnswerFacts} from '../../app/discover.ts';
import type {BlockedLog} from '../../app/inspect/log.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import type {PacketTrier} from '../../app/try-packet.ts';
import type {Existing} from '../../existing/cleanup-plan.ts';
import type {Exposure} from '../../exposure/model.ts';
import type {Availability} from '../../host/machine/modules.ts';
import type {Elevation} from '../../lib/command-line.ts';
import type {HelperName} from '../../policy/helpers.ts';
import type {Policy} from '../../policy/policy.ts';
import type {RemoteClient} from '../../ruleset/lockout.ts';
import type {Suggestions} from '../../services/suggest-clients.ts';
import type {ChecklistState} from '../hooks/use-checklist.ts';
import type {Comparison, ProofState} from '../hooks/use-proof.ts';
import type {Flow, FlowEvent} from '../state/state.ts';
import type {MachineView} from '../text/welcome.ts';
import type {Line} from '../text/wrap.ts';

/**
 * The props of every step. A step reads the state and sends events; it does not read the machine.
 */
export type StepProps = {
	readonly flow: Flow;
	readonly dispatch: Dispatch<FlowEvent>;
	readonly machine: HostView;
	/**
	 * What applying the answers would do. The steps print from it, so that what they show is what is
	 * loaded.
	 */
	readonly plan: ApplyPlan;
	/** The lines of the view that Review shows. */
	readonly review: readonly Line[];
	/** The number of lines that the step may use. */
	readonly height: number;
	readonly proof: ProofState;
	readonly comparison: Comparison;
	readonly checklist: ChecklistState;
	readonly actions: Actions;
};

/** The actions of a step that are no events of the state. */
type Actions = {
	/** Loads the rules and waits for the confirmation. */
	readonly apply: () => void;
	/** Confirms the rules that are loaded. */
	readonly keep: () => void;
	/** Ends the wizard without a change. */
	readonly leave: () => void;
	/** Leaves the screen to continue as root, with all answers. */
	readonly elevate: (elevation: Elevation) => void;
	readonly reboot: () => void;
};

/** The facts and functions of this machine that the steps need. */
export type HostView = MachineView & {
	/** What is known of the firewall that was applied here; undefined where none was, or where it cannot be read. */
	readonly status: AppliedStatus | undefined;
	/** Reads `status` again. Never throws. */
	readonly readStatus: () => Promise<void>;
	/** Reads what was blocked in the last 24 hours; undefined where it cannot be read. Never throws. */
	readonly readBlocked: () => Promise<BlockedLog | undefined>;
	/** Undoes the change that `status` names. @throws {HostError} where that is not possible */
	readonly undo: () => Promise<readonly number[]>;
	/** The facts that are still missing, in words. While there are any, keys wait in Welcome. */
	readonly looking: readonly string[];
	/**
	 * The facts that answers depend on, as far as they are known. The value changes only when a fact
	 * does.
	 */
	readonly known: AnswerFacts;
	/** Whether this machine has a public address, in one sentence. */
	readonly nat: string;
	/** Measures what other hosts can reach now, and after the change. */
	readonly findExposure: (plan: ApplyPlan) => Promise<Exposure>;
	/** Finds what other programs' rules that stay open or block against the policy. Never throws. */
	readonly findBeside: (plan: ApplyPlan) => Promise<Beside>;
	/** Reads what a packet meets after the change. */
	readonly openPacketTrier: (plan: ApplyPlan) => Promise<PacketTrier>;
	/** Which helpers the kernel has. Empty until that is known. */
	readonly helpers: ReadonlyMap<HelperName, Availability>;
	/** The addresses at which other hosts reach this machine, one of each family. */
	readonly addresses: readonly string[];
	/** The interface on which a packet that the user tries arrives. */
	readonly inInterface: string;
	/** The names of all interfaces; undefined where they are not known. */
	readonly interfaceNames: ReadonlyMap<string, string | undefined> | undefined;
	/** For whom a port may be opened here, beside everybody. */
	readonly suggested: Suggestions;
	/** The remote client of this session. Undefined at the console, and where it is not known. */
	readonly remoteClient: RemoteClient | undefined;
	/**
	 * The init system that loads the rules at boot. Undefined where fw-wizard supports none of this
	 * machine.
	 */
	readonly boot: string | undefined;
	/** The command by which the user can log in as they did; undefined where that is not known. */
	readonly sshCommand: string | undefined;
	/** The seconds in which the rules must be confirmed. */
	readonly seconds: number;
	/** Whether this is a rehearsal, in which nobody can log in. */
	readonly rehearsal: boolean;
	/**
	 * The program with which this user can become root. Undefined for root, and where there is no
	 * such program.
	 */
	readonly elevation: Elevation | undefined;
	/**
	 * Plans what applying a policy would do here. The function is replaced when more facts are known.
	 */
	readonly planApply: (policy: Policy, existing: Existing) => ApplyPlan;
};

/** Whether facts are missing on which the recommended answers depend, or are not in the state yet. */
export function isLooking({known}: Flow, machine: Pick<HostView, 'looking' | 'known'>): boolean {
	return machine.looking.length > 0 || known !== machine.known;
}

/** The program that would remove the plan's obstacle, which is that the user is not root. */
export function elevationFor({obstacle}: ApplyPlan, machine: HostView): Elevation | undefined {
	return obstacle?.kind === 'not-root' ? machine.elevation : undefined;
}
