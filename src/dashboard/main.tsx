/// The page: theme, address, and a session with the server that it came from.

import '@fontsource-variable/inter/wght.css'
import './styles/tokens.css'
import './styles/shell.css'
import './styles/board.css'
import './styles/token.css'
import './styles/pulse.css'
import { render } from 'preact'
import { keepPins } from './board/pins.js'
import { followAddress } from './route/navigation.js'
import { App } from './shell/app.js'
import { letGoOfReplacedNodes } from './shell/let-go.js'
import { applyTheme } from './shell/theme.js'

letGoOfReplacedNodes()
applyTheme()
keepPins()
followAddress()
const page = document.getElementById('page')
// Below whatever path the page is served; what stands after `#` is the reader's view.
if (page !== null) render(<App url={new URL('.', location.href.split('#')[0]).href} />, page)
