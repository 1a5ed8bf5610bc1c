// Loaded before the program: writes the text of every script that is compiled to the file in SOURCES.
const {appendFileSync} = require('node:fs');
const {Session} = require('node:inspector');
const process = require('node:process');

const session = new Session();
session.connect();
session.on('Debugger.scriptParsed', ({params: {scriptId, url}}) => {
	if (!url.startsWith('node:') && url !== __filename) {
		session.post('Debugger.getScriptSource', {scriptId}, (_, source) => {
			appendFileSync(process.env.SOURCES ?? '', source.scriptSource);
		});
	}
});
session.post('Debugger.enable');
