import {type Dispatch, useEffect, useLayoutEffect, useRef} from 'react';
import {withoutEnded} from '../../policy/ending.ts';
import type {Flow, FlowEvent} from '../state/state.ts';
import type {HostView} from '../steps/step-props.ts';

/** Milliseconds between two looks while a change waits to be confirmed. */
const LOOK_EVERY = 1000;

/**
 * Reads what Home shows again whenever it is returned to, and each second while a change waits: that is confirmed or
 * rolled back elsewhere. Where another policy is applied then, the state gets it.
 */
export function useStatus(
	{step, view}: Pick<Flow, 'step' | 'view'>,
	{status, readStatus, readBlocked}: Pick<HostView, 'status' | 'readStatus' | 'readBlocked'>,
	dispatch: Dispatch<FlowEvent>,
): void {
	const isHome = step === 'home';
	// Where it cannot be read, it is perhaps just being written.
	const isPending = status === undefined || status.pending !== null;
	const isFresh = useRef(isHome);
	useEffect(() => {
		if (isHome && !isFresh.current) {
			void readStatus();
		}

		isFresh.current = false;
	}, [isHome, readStatus]);
	// While Undo is asked about, the question stays the same: undoShown refuses where another change is the last one.
	const looks = isHome && isPending && view !== 'undo';
	useEffect(() => {
		let over = !looks;
		let timer: NodeJS.Timeout | undefined;
		const lookAgain = () => {
			timer = over ? undefined : setTimeout(() => void readStatus().then(lookAgain), LOOK_EVERY);
		};
		lookAgain();
		return () => {
			over = true;
			clearTimeout(timer);
		};
	}, [looks, readStatus]);

	const asksBlocked = isHome && view === 'blocked';
	useEffect(() => {
		if (asksBlocked) {
			void readBlocked().then((log) => dispatch({type: 'blocked', log: log ?? 'unreadable'}));
		}
	}, [asksBlocked, readBlocked, dispatch]);

	const policy = status?.policy;
	const text = policy && JSON.stringify(policy);
	const known = useRef(text);
	useLayoutEffect(() => {
		if (policy !== undefined && text !== known.current) {
			known.current = text;
			dispatch({type: 'applied', policy: {...policy, openings: withoutEnded(policy.openings)}});
		}
	}, [policy, text, dispatch]);
}
