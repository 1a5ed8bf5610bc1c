import process from 'node:process';
import {useStdout} from 'ink';
import {useEffect} from 'react';
import {ERASE_SCREEN} from './alternate-screen.ts';

/** Milliseconds after a change of the size in which Ink has drawn for the new one. */
const SETTLED = 100;

/**
 * Draws the whole screen anew when the terminal has changed its size. Two changes in one moment end as
 * none for Ink, which then leaves what the terminal made of the frame; and a frame for the size before
 * may be on its way still.
 */
export function useRepaint(): void {
	const {write} = useStdout();
	useEffect(() => {
		let timer: NodeJS.Timeout | undefined;
		const repaint = () => {
			clearTimeout(timer);
			timer = setTimeout(() => write(ERASE_SCREEN), SETTLED);
		};
		process.on('SIGWINCH', repaint);
		return () => {
			clearTimeout(timer);
			process.off('SIGWINCH', repaint);
		};
	}, [write]);
}
